"""Who gets a message, and why not: opt-outs, addresses, templates, duplicates; in columns, whatever the population.

Invariant: everybody in the population is in exactly one of two sets of rows: those to whom a message can be sent, and
those who are left out, with the first reason that holds. Flags and addresses are those of the profile, never a column
of the transition. Of several people with one address the first by `profile_id` gets the message.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from symbolon.columns import flags
from symbolon.ids import normalise, valid_address
from symbolon.lake import ParquetStaging
from symbolon.later import pc
from symbolon.messages.message import ascii_address
from symbolon.messages.writing import Unwritten
from symbolon.policy import withheld_from_messages
from symbolon.records import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from symbolon.lake import Engine, WrittenFile
    from symbolon.messages.writing import Writer
    from symbolon.profiles import Profiles
    from symbolon.targeting import DeliveryRequest

#: what became of everybody: `sent`, `refused`, ... or why they were left out. No address, and nothing that leads to one
LOG = pa.schema([("profile_id", pa.int64()), ("outcome", pa.string())])
NO_ADDRESS, INVALID, DUPLICATE = "no_address", "invalid_address", "duplicate_address"
#: channel -> the field of the profile, and what kind of address it holds
FIELDS = {Channel.EMAIL: ("email", "email"), Channel.SMS: ("mobile_phone", "phone")}
_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who gets a message and who does not, as written files."""

    #: profile_id, token, address, v0..vN: in the order of profile_id
    ready: list[WrittenFile]
    schema: pa.Schema
    #: as `LOG`
    left_out: list[WrittenFile]


class Chooser:
    """Takes a population apart.

    Args:
        region: of telephone numbers without a country code.
    """

    def __init__(self, *, engine: Engine, profiles: Profiles, region: str) -> None:
        self._engine = engine
        self._profiles = profiles
        self._region = region

    def choose(self, request: DeliveryRequest, people: ibis.Table, writer: Writer, directory: Path) -> Chosen:
        """Decide about everybody.

        Args:
            request: channel and parameters.
            people: profile_id, further columns.
            writer: renders each message once, to know whether it can be.
            directory: where files are made.
        """
        rows = self._rows(request, people, writer)
        own = rows.schema().to_pyarrow()
        values = [field for field in own if field.name.startswith("v")]
        head = [("profile_id", pa.int64()), ("reason", pa.string()), ("token", pa.string()), ("address", pa.string())]
        staged_schema = pa.schema([*head, *values])
        staging = ParquetStaging(directory / "chosen", staged_schema)
        key = secrets.token_bytes(32)
        for batch in self._engine.batches(rows, _ROWS):
            staging.write(self._decided(batch, request, writer, key, staged_schema))
        files = [str(file.path) for file in staging.close()]
        staged = self._engine.scan(files, staged_schema)
        first = (
            staged.filter(staged.reason.isnull()).group_by("address").aggregate(profile_id=lambda t: t.profile_id.min())
        )
        could = staged.filter(staged.reason.isnull())
        schema = pa.schema([field for field in staged_schema if field.name != "reason"])
        ready = could.semi_join(first, "profile_id").select(schema.names)
        twice = could.anti_join(first, "profile_id").select("profile_id", outcome=ibis.literal(DUPLICATE))
        others = staged.filter(staged.reason.notnull()).select("profile_id", outcome=staged.reason)
        return Chosen(
            self._engine.write(ready, directory / "ready", schema, order_by=["profile_id"]),
            schema,
            self._engine.write(ibis.union(others, twice), directory / "left_out", LOG),
        )

    def _rows(self, request: DeliveryRequest, people: ibis.Table, writer: Writer) -> ibis.Table:
        """Give the population with what is needed of it: profile_id, reason, address, v0..vN."""
        profiles = self._profiles.current()
        address, _ = FIELDS[request.channel]
        carried = [name for name in writer.names if name in people.columns]
        fields = [name for name in writer.names if name not in carried and name in profiles.columns]
        number = {name: f"v{place}" for place, name in enumerate(writer.names)}
        own = profiles.select(
            "profile_id",
            reason=withheld_from_messages(profiles, request.channel),
            address=profiles[address],
            **{number[name]: profiles[name] for name in fields},
        )
        given = people.select("profile_id", **{number[name]: people[name] for name in carried})
        joined = given.left_join(own, "profile_id")
        return joined.select("profile_id", "reason", "address", *[number[name] for name in (*carried, *fields)])

    def _decided(
        self, batch: pa.RecordBatch, request: DeliveryRequest, writer: Writer, key: bytes, schema: pa.Schema
    ) -> pa.RecordBatch:
        """Decide about the rows of a batch, but for duplicates."""
        _, kind = FIELDS[request.channel]
        addresses = normalise(batch.column("address").cast(pa.string()), "adobe", kind, self._region)
        valid = flags(valid_address(addresses, kind))
        # a number that has no normal form is there all the same, and is no number
        raw = pc.utf8_trim_whitespace(batch.column("address").cast(pa.string()))
        given = flags(pc.not_equal(raw, pa.scalar("")))
        columns = value_columns(batch, writer, request)
        people = batch.column("profile_id").to_pylist()
        reasons = batch.column("reason").to_pylist()
        texts = addresses.to_pylist()
        decided: list[str | None] = []
        for place, withheld in enumerate(reasons):
            why = withheld or self._address_reason(
                texts, place, there=bool(given[place]), valid=bool(valid[place]), channel=request.channel
            )
            if why is None:
                written = writer.write({name: found[place] for name, found in columns.items()})
                why = written.reason if isinstance(written, Unwritten) else None
            decided.append(why)
        tokens = [
            hashlib.blake2b(one.to_bytes(8, "big", signed=True), key=key, digest_size=16).hexdigest() for one in people
        ]
        made: dict[str, Any] = {
            "profile_id": pa.array(people, pa.int64()),
            "reason": pa.array(decided, pa.string()),
            "token": pa.array(tokens, pa.string()),
            "address": pa.array(
                [text if why is None else None for text, why in zip(texts, decided, strict=True)], pa.string()
            ),
        }
        for field in schema:
            if field.name not in made:
                made[field.name] = batch.column(field.name).cast(field.type)
        return pa.record_batch([made[name] for name in schema.names], schema=schema)

    def _address_reason(
        self, texts: list[str | None], place: int, *, there: bool, valid: bool, channel: Channel
    ) -> str | None:
        """Say what is wrong with an address; an e-mail address is put as a server takes it."""
        if not there:
            return NO_ADDRESS
        if not valid:
            return INVALID
        if channel is Channel.EMAIL:
            texts[place] = ascii_address(texts[place] or "")
            return INVALID if texts[place] is None else None
        return None


def value_columns(batch: pa.RecordBatch, writer: Writer, request: DeliveryRequest) -> dict[str, Any]:
    """Give the values that templates name, by name: a list as long as the batch."""
    found: dict[str, Any] = {}
    for place, name in enumerate(writer.names):
        if f"v{place}" in batch.schema.names:
            found[name] = batch.column(f"v{place}").to_pylist()
        else:
            found[name] = [request.parameters.get(name)] * batch.num_rows
    return found


def rows_of(
    batch: pa.RecordBatch, writer: Writer, request: DeliveryRequest
) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    """Give the rows of a batch of those who are ready: profile, token, address, values by name."""
    columns = value_columns(batch, writer, request)
    heads = [batch.column(name).to_pylist() for name in ("profile_id", "token", "address")]
    for place, (profile, token, address) in enumerate(zip(*heads, strict=True)):
        yield profile, token, address, {name: values[place] for name, values in columns.items()}
