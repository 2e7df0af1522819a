"""The frame of every competitor: arguments in, one line of JSON out."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def main(run: Callable[[Path, Path, Path, str], dict[str, int]]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("incoming", type=Path)
    parser.add_argument("known", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--segment", default="24")
    options = parser.parse_args()
    shutil.rmtree(options.target, ignore_errors=True)
    options.target.mkdir(parents=True)
    print(json.dumps(run(options.incoming, options.known, options.target, options.segment)))
