"""`symbolon feed`: files that are imported as they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.records import Arrival
    from symbolon.technical import Feed

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the feed.")]
SegmentOption = Annotated[str | None, typer.Option("--segment", metavar="ID", help="The wanted segment.")]
AudienceOption = Annotated[str | None, typer.Option("--audience", metavar="NAME", help="Name of the audience.")]
PatternOption = Annotated[
    str | None, typer.Option("--pattern", metavar="GLOB", help="Only files with such names, without folders.")
]
EveryOption = Annotated[
    float | None, typer.Option("--every", metavar="S", help="Seconds between two looks; default: 5.")
]
ExpectedOption = Annotated[
    float | None,
    typer.Option("--expected-every", metavar="H", help="Hours within which something should arrive; else an alert."),
]
AfterOption = Annotated[
    Literal["keep", "delete", "archive"] | None,
    typer.Option("--after", help="What becomes of imported files; default: keep."),
]
RejectedOption = Annotated[
    str | None, typer.Option("--max-rejected", metavar="N|N%", help="A file with more rejected records is refused.")
]


@command(app, "add")
def add(
    session: Session,
    name: Name,
    transport: Annotated[
        str, typer.Argument(metavar="PLACE", help="A transport, perhaps with a folder below it; a folder or a URL.")
    ],
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The data source of the files.")],
    segment: SegmentOption = None,
    all_segments: Annotated[bool, typer.Option("--all-segments", help="An audience of every segment.")] = False,
    audience: AudienceOption = None,
    pattern: PatternOption = None,
    every: EveryOption = None,
    expected_every: ExpectedOption = None,
    max_rejected: RejectedOption = None,
    after: AfterOption = None,
) -> None:
    """Have files imported as they arrive: a worker looks every few seconds, and imports a set when it is whole.

    $ symbolon feed add partner inbox/ --source crm-email --segment 24 --audience "Frequent flyers"
    $ symbolon feed add partner partner-s3/audiences --source crm-email --all-segments --expected-every 24
    """
    from symbolon.technical import Feed  # noqa: PLC0415 - heavy

    given = _changes(segment, audience, pattern, every, expected_every, max_rejected, after)
    feed = Feed(name=name, transport=transport, source=source, all_segments=all_segments, **given)
    session.project.feeds.add(feed)
    _show(session, feed)
    session.next(["feed", "run", name], ["worker"])


@command(app, "edit")
def edit(
    session: Session,
    name: Name,
    segment: SegmentOption = None,
    audience: AudienceOption = None,
    pattern: PatternOption = None,
    every: EveryOption = None,
    expected_every: ExpectedOption = None,
    max_rejected: RejectedOption = None,
    after: AfterOption = None,
    enable: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether workers look after it.")] = None,
) -> None:
    """Change a feed.

    $ symbolon feed edit partner --expected-every 12
    $ symbolon feed edit partner --disable
    """
    given = _changes(segment, audience, pattern, every, expected_every, max_rejected, after)
    if enable is not None:
        given["enabled"] = enable
    _show(session, session.project.feeds.edit(name, **given))


@command(app, "list")
def list_(session: Session) -> None:
    """List the feeds, with how they are doing.

    $ symbolon feed list
    """
    import msgspec  # noqa: PLC0415

    feeds = session.project.feeds.list()
    health = {item.name: item for item in session.project.health.items()}
    if session.as_json:
        session.screen.json([{**msgspec.to_builtins(one), "health": health[f"feed {one.name}"]} for one in feeds])
        return
    if not feeds:
        session.screen.say("there is no feed yet")
        session.next(["feed", "add", "NAME", "PLACE", "--source", "NAME"])
        return
    session.screen.table(
        ["name", "place", "source", "segment", "audience", "health", "what"],
        [[one.name, one.transport, one.source, one.segment, one.audience, *_told(health, one.name)] for one in feeds],
    )


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """Show a feed.

    $ symbolon feed show partner
    """
    _show(session, session.project.feeds.show(name))


@command(app, "delete")
def delete(
    session: Session, name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Delete a feed. Its audiences, and what is known of its arrivals, stay.

    $ symbolon feed delete partner --yes
    """
    session.project.feeds.show(name)
    session.confirm(f"delete feed {name}?", yes=yes)
    session.project.feeds.delete(name)
    if session.as_json:
        session.screen.json({"name": name, "deleted": True})
        return
    session.screen.say(f"feed {name} is deleted")


@command(app, "run")
def run(
    session: Session,
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Take what is there for whole, and try again what waits for its next try.")
    ] = False,
) -> None:
    """Look once, now: import what is whole. A worker does the same by itself.

    $ symbolon feed run partner
    """
    feed = session.project.feeds.show(name)
    happened = session.project.watcher.look(feed, force=force, progress=session.progress())
    _arrivals(session, happened, nothing="nothing new")


@command(app, "arrivals")
def arrivals(session: Session, name: Name) -> None:
    """List what arrived for a feed, newest first, and what became of it.

    $ symbolon feed arrivals partner
    """
    session.project.feeds.show(name)
    _arrivals(session, session.project.store.arrivals(name), nothing="nothing arrived yet")


@command(app, "replay")
def replay(
    session: Session,
    name: Name,
    arrival: Annotated[str, typer.Argument(metavar="SET", help="Name of the set, as `feed arrivals` gives it.")],
) -> None:
    """Import a refused set again, from quarantine, after its cause was mended.

    $ symbolon feed replay partner S3_1234_20914_full_1486140844000
    """
    found = session.project.watcher.replay(session.project.feeds.show(name), arrival, progress=session.progress())
    _arrivals(session, [found], nothing="")


def _changes(*given: Any) -> dict[str, Any]:
    segment, audience, pattern, every, expected, max_rejected, after = given
    values = {
        "segment": segment,
        "audience": audience,
        "pattern": pattern,
        "every_s": every,
        "expected_every_s": None if expected is None else expected * 3600,
        "max_rejected": max_rejected,
        "after": after,
    }
    return {name: value for name, value in values.items() if value is not None}


def _show(session: Session, feed: Feed) -> None:
    import msgspec  # noqa: PLC0415

    if session.as_json:
        session.screen.json(msgspec.to_builtins(feed))
        return
    session.screen.facts(
        [
            ("feed", feed.name),
            ("place", feed.transport),
            ("pattern", feed.pattern),
            ("source", feed.source),
            ("segment", "all" if feed.all_segments else feed.segment),
            ("audience", feed.audience),
            ("looks every", f"{feed.every_s:g} s"),
            ("expected every", None if feed.expected_every_s is None else f"{feed.expected_every_s / 3600:g} h"),
            ("max rejected", feed.max_rejected),
            ("imported files", feed.after),
            ("enabled", feed.enabled),
        ]
    )


def _arrivals(session: Session, found: list[Arrival], *, nothing: str) -> None:
    import msgspec  # noqa: PLC0415

    if session.as_json:
        session.screen.json([msgspec.to_builtins(one) for one in found])
        return
    if not found:
        session.screen.say(nothing)
        return
    session.screen.table(
        ["set", "state", "changed", "what"], [[one.name, one.state.value, one.changed, _why(one)] for one in found]
    )


def _why(arrival: Arrival) -> str:
    facts: dict[str, Any] = dict(arrival.facts)
    error = facts.get("error")
    if isinstance(error, dict):
        return f"{error['code']}: {error['summary']}"
    receipts = facts.get("receipts", [])
    if receipts and not facts.get("why"):
        return ", ".join(f"{one['audience']} version {one['version']}: {one['members']:,} members" for one in receipts)
    return str(facts.get("why", ""))


def _told(health: dict[str, Any], name: str) -> tuple[str, str]:
    item = health.get(f"feed {name}")
    return (item.state.value, item.detail) if item else ("", "")
