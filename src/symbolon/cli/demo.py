"""`symbolon demo`: a project with synthetic people and deliveries, imported, told as a story.

Invariant: only a folder that is empty, missing or an earlier demo is touched.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.audience_import import public_receipt
from symbolon.cli.errors import DemoFolderError
from symbolon.cli.receipts import receipt_lines
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.wording import counted

if TYPE_CHECKING:
    from symbolon.app import Project
    from symbolon.demo import DemoFile, DemoPlan
    from symbolon.records import Progress, Receipt

app = noun()
#: marks a folder that a demo made, and may make anew
MARKER = ".symbolon-demo"
#: what a demo makes
_PARTS = (
    "symbolon.toml",
    "symbolon.db",
    "symbolon.db-wal",
    "symbolon.db-shm",
    "lake",
    "keys",
    "people",
    "inbox",
    "outbox",
)


@command(app, "demo", project=False)
def demo(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made anew, if it is a demo.")] = Path(
        "symbolon-demo"
    ),
    profiles: Annotated[int, typer.Option("--profiles", metavar="N", min=1, help="How many people.")] = 50_000,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Another seed, other people.")] = None,
) -> None:
    """Make a project with synthetic people and deliveries, and import them.

    $ symbolon demo
    $ symbolon demo /tmp/shop --profiles 1000

    Everything is made up: the same seed gives the same data.
    """
    from symbolon.app import Project  # noqa: PLC0415 - heavy
    from symbolon.demo import DEFAULT_SEED, make_demo  # noqa: PLC0415

    started = time.monotonic()
    _prepare(folder)
    progress = session.progress()
    if progress is not None:
        progress.started(f"making {profiles:,} people and what is delivered about them")
    plan = make_demo(folder, profiles=profiles, seed=DEFAULT_SEED if seed is None else seed)
    if progress is not None:
        progress.finished()
    made_s = time.monotonic() - started
    screen = session.screen
    with Project.init(folder) as project:
        if not session.as_json:
            screen.lines(_opening(folder, plan, made_s))
        people = project.profiles.import_file(plan.profile_file, progress=progress)
        links = project.profiles.link_file(plan.links_file, progress=progress)
        _add_sources(project, plan)
        if not session.as_json:
            screen.lines(_standing(plan, _builtins(people), _builtins(links)))
        receipts = []
        for number, file in enumerate(plan.files, start=1):
            receipt = _import(project, file, progress)
            receipts.append(receipt)
            if not session.as_json:
                screen.lines([Line(f"{number}. {file.story}", "bold cyan"), Line()])
                is_file = file.force_reconciliation is False
                screen.lines([*receipt_lines(receipt, bars=screen.is_terminal, addresses=is_file), Line()])
    seconds = round(time.monotonic() - started, 3)
    if session.as_json:
        screen.json(
            {
                "folder": str(folder),
                "profiles": _builtins(people),
                "links": _builtins(links),
                "receipts": [public_receipt(receipt, plan=False) for receipt in receipts],
                "seconds": seconds,
            }
        )
        return
    lines = sum(receipt.lines for receipt in receipts)
    screen.lines([Line(f"{len(receipts)} deliveries, {lines:,} lines, {seconds:.1f} s in all", "bold")])
    session.screen.say(f"\nlook around:\n  cd {folder}")
    flyers = next((one.audience for one in plan.files if one.source.endswith("sha256")), plan.files[0].audience)
    for line in (
        "symbolon audience list",
        f'symbolon audience show "{flyers}"',
        f'symbolon audience members "{flyers}" --limit 5',
        f'symbolon audience rejects "{flyers}"',
        f'symbolon audience diff "{plan.files[0].audience}"',
        "symbolon doctor",
    ):
        session.screen.say(f"  {line}")


def _prepare(folder: Path) -> None:
    """Make the folder, or clear an earlier demo out of it.

    Raises:
        DemoFolderError: it holds other things.
    """
    if folder.exists() and not folder.is_dir():
        raise DemoFolderError(f"`{folder}` is a file", hint="name a folder: symbolon demo DIR")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise DemoFolderError(
                f"`{folder}` is not empty, and no demo made it; nothing was changed",
                hint="name another folder: symbolon demo DIR",
            )
        for name in _PARTS:
            part = folder / name
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARKER).write_text("made by `symbolon demo`, which may make it anew\n", encoding="utf-8")


def _add_sources(project: Project, plan: DemoPlan) -> None:
    from symbolon.records import DataSource  # noqa: PLC0415 - heavy

    for source in plan.sources:
        project.sources.add(
            DataSource(**source.definition),
            key=bytes.fromhex(source.key_hex) if source.key_hex else None,
            iv=bytes.fromhex(source.iv_hex) if source.iv_hex else None,
        )


def _import(project: Project, file: DemoFile, progress: Progress | None) -> Receipt:
    from symbolon.sharing import ImportRequest  # noqa: PLC0415 - heavy

    request = ImportRequest(
        paths=file.paths,
        source=file.source,
        name=file.audience,
        segment=file.segment,
        column=file.column or None,
        force_reconciliation=file.force_reconciliation,
        wait_s=0,
    )
    return project.audiences.import_(request, progress)[0]


def _opening(folder: Path, plan: DemoPlan, seconds: float) -> list[Line]:
    return [
        Line(
            "Harbour & Hale, a retailer, keeps profiles. Meridian Air, an airline, shares audiences with them.", "bold"
        ),
        Line(f"  {plan.people:,} people and {counted(len(plan.files), 'delivery', 'deliveries')}, all made up,"),
        Line(f"  are in {folder} ({seconds:.1f} s). About three lines in a hundred are broken on purpose."),
        Line(),
    ]


def _standing(plan: DemoPlan, people: dict[str, Any], links: dict[str, Any]) -> list[Line]:
    rejected = sum(people.get("rejected", {}).values())
    return [
        Line(f"profiles: {people['accepted']:,} imported, {rejected:,} rejected ({people['seconds']:.1f} s)"),
        Line(f"links:    {links['accepted']:,} browsers linked to profiles ({links['seconds']:.1f} s)"),
        Line(f"sources:  {len(plan.sources)}, of every kind and protection"),
        Line(),
    ]


def _builtins(receipt: object) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    fields: dict[str, Any] = msgspec.to_builtins(receipt)
    return fields
