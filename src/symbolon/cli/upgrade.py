"""`symbolon upgrade`: bring the control records of a project up to this release."""

from __future__ import annotations

from symbolon.cli.session import Session, command, noun

app = noun()


@command(app, "upgrade")
def upgrade(session: Session) -> None:
    """Bring the project's store up to this release.

    $ symbolon upgrade --project shop

    Make a backup of the store first: a copy of symbolon.db, or pg_dump.
    A store that is up to date is left alone.
    """
    from symbolon.store import migrate  # noqa: PLC0415 - heavy

    migrate(session.project.settings)
    version = session.project.store.schema_version
    if session.as_json:
        session.screen.json({"store": version})
        return
    session.screen.text(f"the store is at revision {version}")
    session.next(["doctor"])
