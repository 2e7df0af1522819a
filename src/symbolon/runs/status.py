"""Where durable runs stand, read beside them: nothing is launched, nothing is adopted, nothing is written.

Invariant: the tables are DBOS's own (`workflow_status`, `operation_outputs`), read by their names.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc

from symbolon.runs.alive import is_alive


class Execution(StrEnum):
    """What an execution does."""

    GOING = "going"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where an execution stands."""

    run_id: str
    state: Execution
    #: the process that executes it, or did
    executor: str
    #: whether that process lives
    alive: bool
    #: steps that have ended
    steps: int

    @property
    def is_final(self) -> bool:
        """Whether it does not go on by itself."""
        return self.state is not Execution.GOING


_STATES = {"SUCCESS": Execution.DONE, "CANCELLED": Execution.CANCELLED}
_GOING = ("PENDING", "ENQUEUED", "DELAYED")


class StatusReader:
    """Reads the database of durable runs.

    Args:
        url: where it is.
        schema: of its tables; None on SQLite.
        folder: where executors hold their locks.
    """

    def __init__(self, url: str, schema: str | None, folder: str) -> None:
        self._url, self._folder = url, folder
        names = ("workflow_uuid", "status", "executor_id", "created_at")
        self._runs = sa.table("workflow_status", *(sa.column(name) for name in names), schema=schema)
        self._steps = sa.table("operation_outputs", sa.column("workflow_uuid"), schema=schema)

    def status(self, run_id: str) -> RunStatus | None:
        """Give where an execution stands; None if it was never begun."""
        found = self._read(sa.select(self._runs).where(self._runs.c.workflow_uuid == run_id))
        return found[0] if found else None

    def going(self, limit: int = 1000) -> list[RunStatus]:
        """Give the executions that have not ended, the oldest first."""
        going = sa.select(self._runs).where(self._runs.c.status.in_(_GOING))
        return self._read(going.order_by(self._runs.c.created_at).limit(limit))

    def _read(self, statement: sa.Select[tuple[object, ...]]) -> list[RunStatus]:
        from pathlib import Path  # noqa: PLC0415

        url = sa.make_url(self._url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            return []
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                rows = list(connection.execute(statement).mappings())
                counts = {
                    row["workflow_uuid"]: connection.execute(
                        sa.select(sa.func.count()).where(self._steps.c.workflow_uuid == row["workflow_uuid"])
                    ).scalar()
                    for row in rows
                }
        except (exc.OperationalError, exc.ProgrammingError):
            return []  # no run was ever executed: the tables are not there yet
        finally:
            engine.dispose()
        return [
            RunStatus(
                run_id=str(row["workflow_uuid"]),
                state=Execution.GOING if row["status"] in _GOING else _STATES.get(str(row["status"]), Execution.FAILED),
                executor=str(row["executor_id"] or ""),
                alive=is_alive(Path(self._folder), str(row["executor_id"] or "")),
                steps=int(counts[row["workflow_uuid"]] or 0),
            )
            for row in rows
        ]
