"""Makes the demo: a retailer and an airline share audiences.

Harbour & Hale, a retailer, keeps the profiles. Meridian Air, an airline, offers audiences of people whom both may know:
by browser, by customer number, by hashed and by encrypted address. One in five of its IDs is unknown to the retailer,
three lines in a hundred are broken.

Invariant: the same seed and number of people give the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from symbolon.demo.delivery import Segments, Written, body, file_bytes, joined, write_file, write_parts
from symbolon.demo.hostile import Shape
from symbolon.demo.people import People, concat, make_people, numbers, visitor_ids
from symbolon.demo.plan import DEFAULT_SEED, DemoFile, DemoPlan, DemoSource
from symbolon.demo.protect import digests, encrypt, written
from symbolon.records import Channel, Encoding, Kind, OnAmbiguous, Protection

if TYPE_CHECKING:
    from pathlib import Path

#: of the IDs of a delivery, against known ones: one in five is unknown
UNKNOWN_PER_KNOWN = 0.25
#: of the wanted lines
OTHER_SHARE = 0.4
VISITORS, CUSTOMERS = "web-visitors", "store-customers"
MAIL_AES, SMS_AES = "lounge-mail-aes", "alerts-sms-aes"
HASHES = {
    "md5": ("partner-mail-md5", 20305, "Newsletter readers", "people who opened the airline's newsletter this winter"),
    "sha1": ("partner-mail-sha1", 20306, "Car rental guests", "guests who booked a rental car with their flight"),
    "sha256": ("partner-mail-sha256", 20301, "Frequent flyers", "members who flew at least six times last year"),
    "sha384": ("partner-mail-sha384", 20307, "Business travellers", "travellers on a company's account"),
    "sha512": ("partner-mail-sha512", 20308, "Family holidays", "families who booked for the school holidays"),
}


class Demo:
    """What the makers of the single deliveries share: people, chance, the folder, and the plan so far."""

    def __init__(self, folder: Path, people: People, seed: int) -> None:
        self.inbox = folder / "inbox"
        self.inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.people = people
        self.seed = seed
        self.sources: list[DemoSource] = []
        self.files: list[DemoFile] = []

    def rng(self, purpose: str) -> np.random.Generator:
        """Give chance of its own to each purpose, so that one delivery can change without the others."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def secret(self, purpose: str, size: int) -> bytes:
        """Make key material from the seed."""
        return hashlib.sha512(f"{self.seed} {purpose}".encode()).digest()[:size]

    def known(self, values: pa.Array, share: float, rng: np.random.Generator) -> pa.Array:
        """Draw some of the distinct values that are there."""
        values = pc.drop_null(values.unique())
        return values.take(pa.array(rng.permutation(len(values))[: max(1, int(len(self.people.emails) * share))]))

    def source(self, name: str, *, secret: bytes = b"", iv: bytes | None = None, **definition: Any) -> None:
        """Note a data source."""
        definition = {"name": name, **definition}
        self.sources.append(DemoSource(definition=definition, key_hex=secret.hex(), iv_hex=(iv or b"").hex()))

    def file(self, written: Written, paths: list[Path], **facts: Any) -> None:
        """Note an import."""
        self.files.append(
            DemoFile(
                paths=paths, lines=written.lines, other_segments=written.other_segments, removals=written.removals,
                rejected=written.rejected, **facts,
            )
        )  # fmt: skip


def strangers(count: int, purpose: str) -> pa.Array:
    """Give addresses that the retailer has never seen."""
    return concat("guest", numbers(np.arange(count, dtype=np.int64) * 13 + 101, 6), f".{purpose}@example.org")


def stranger_phones(count: int) -> pa.Array:
    """Give numbers of a country code that nobody has."""
    return concat("+9995", numbers(np.arange(count, dtype=np.int64) * 17 + 11, 8))


NONE = pa.array([], pa.string())


def visitors(demo: Demo) -> None:
    """Deliver browsers that looked for a flight, and a day later what changed."""
    rng = demo.rng("visitors")
    demo.source(VISITORS, kind=Kind.VISITOR, dpid=14016)
    known = demo.known(demo.people.links["visitor_id"].combine_chunks(), 0.3, rng)
    late, first = known[: len(known) // 10], known[len(known) // 10 :]
    ids = joined([first, visitor_ids(rng, int(len(first) * UNKNOWN_PER_KNOWN))])
    segments = Segments((b"24", b"24,26", b"26,24 31", b"24,27,31"), (b"26", b"27,31", b"31"), (b"26 24", b"27,31 24"))
    shape = Shape("visitor", b" ")
    lines, done = body(ids, visitor_ids(rng, int(len(ids) * OTHER_SHARE)), NONE, segments, shape, rng)
    audience = {"source": VISITORS, "audience": "Flight searchers", "segment": "24"}
    paths = write_parts(demo.inbox, "S3_46390_14016_full_1486140844000.sync.gz", lines, 1)
    demo.file(done, paths, **audience, story="Meridian Air offers every browser that looked for a flight last week.")

    fresh = joined([late, visitor_ids(rng, len(late))])
    leaving = first.take(pa.array(rng.permutation(len(first))[: len(first) // 10]))
    others = visitor_ids(rng, len(fresh) // 3)
    lines, done = body(fresh, others, leaving, segments, shape, rng)
    paths = write_parts(demo.inbox, "S3_46390_14016_iter_1486227244000.sync.gz", lines, 1, quoted=False)
    demo.file(
        done, paths, **audience, story="A day later only the changes: who searched since, and who booked and leaves."
    )


def customers(demo: Demo) -> None:
    """Deliver a plain list of customer numbers, as a shop exports it."""
    rng = demo.rng("customers")
    demo.source(CUSTOMERS, kind=Kind.DECLARED, key="external_id", protection=Protection.PLAIN)
    known = demo.known(demo.people.table["external_id"].combine_chunks(), 0.08, rng)
    closed = numbers(rng.permutation(10**6)[: int(len(known) * UNKNOWN_PER_KNOWN)] + 90_000_000, 8)
    ids = joined([known, concat("HH", closed)])
    shops = (b"Boston Harbour", b"Nantes", b"Galway", b"Leeds")
    shape = Shape("plain", b",", is_list=True)
    lines, done = body(ids, NONE, NONE, Segments(shops), shape, rng)
    path = write_file(
        demo.inbox / "shop_visits.csv", file_bytes(lines, header=b"customer_number,shop\n", last_end=False)
    )
    story = "The shops list who came in for the winter sale, by customer number."
    demo.file(done, [path], source=CUSTOMERS, audience="Winter sale visitors", column="customer_number", story=story)


def hashed(demo: Demo, algorithm: str, share: float) -> None:
    """Deliver hashed e-mail addresses: SHA-256 in three parts, the others in one file."""
    name, dpid, audience, who = HASHES[algorithm]
    rng = demo.rng(algorithm)
    on_ambiguous = OnAmbiguous.REJECT if algorithm == "md5" else OnAmbiguous.ALL
    demo.source(
        name, kind=Kind.DECLARED, key="email", protection=Protection(algorithm), dpid=dpid, on_ambiguous=on_ambiguous
    )
    known = demo.known(demo.people.emails, share, rng)
    new = strangers(int(len(known) * UNKNOWN_PER_KNOWN), algorithm)
    # hashed without being trimmed and lower-cased first: well formed, and of nobody
    careless = concat(" ", pc.utf8_upper(known[: max(1, len(known) // 400)]))
    ids = digests(joined([known, new, careless]), algorithm)
    others = digests(strangers(int(len(ids) * OTHER_SHARE), f"other-{algorithm}"), algorithm)
    nothing = getattr(hashlib, algorithm)().hexdigest().encode()
    shape = Shape("hash", b"\t" if algorithm == "sha1" else b" ", nothing=nothing)
    segments = Segments((b"102", b"102,105", b"101,102,118"), (b"101", b"105,118"))
    lines, done = body(ids, others, NONE, segments, shape, rng)
    ending, parts = {"sha256": (".sync.gz", 3), "md5": (".sync", 1)}.get(algorithm, (".sync.gz", 1))
    file_name = f"S3_46391_{dpid}_full_148614{dpid - 15000}000{ending}"
    paths = write_parts(demo.inbox, file_name, lines, parts)
    demo.file(done, paths, source=name, audience=audience, segment="102", story=f"Meridian Air offers {who}.")


def encrypted(demo: Demo, *, sms: bool) -> None:
    """Deliver encrypted addresses: e-mail with one IV for all, telephone numbers each with its own."""
    name, dpid = (SMS_AES, 20312) if sms else (MAIL_AES, 20311)
    rng = demo.rng(name)
    key, iv = demo.secret(f"key {name}", 16 if sms else 32), None if sms else demo.secret(f"iv {name}", 16)
    encoding, channel = (Encoding.BASE64, Channel.SMS) if sms else (Encoding.HEX, Channel.EMAIL)
    field = "mobile_phone" if sms else "email"
    demo.source(
        name, secret=key, iv=iv, kind=Kind.DECLARED, key=field, protection=Protection.AES_CBC, channel=channel,
        encoding=encoding, iv_prefixed=sms, dpid=dpid,
    )  # fmt: skip
    known = demo.known(demo.people.phones if sms else demo.people.emails, 0.07, rng)
    count = int(len(known) * UNKNOWN_PER_KNOWN)
    values = joined([known, stranger_phones(count) if sms else strangers(count, "lounge")])
    ids = pa.array(written(encrypt(values, key, iv, rng), encoding))
    others = joined([stranger_phones(count) if sms else strangers(count, "other-lounge")])
    others = pa.array(written(encrypt(others, key, iv, rng), encoding))
    shape = Shape("aes", b" ", encoding, key, iv, is_address=True)
    lines, done = body(ids, others, NONE, Segments((b"310", b"310,311"), (b"311",)), shape, rng)
    file_name = f"S3_46392_{dpid}_full_148614{dpid - 15000}000.sync.gz"
    paths = write_parts(demo.inbox, file_name, lines, 1)
    facts = {"source": name, "segment": "310"}
    if sms:
        demo.file(
            done,
            paths,
            **facts,
            audience="Delay alerts",
            story="Travellers who want a text message when they are stuck at the gate.",
        )
        return
    demo.file(
        done,
        paths,
        **facts,
        audience="Lounge guests",
        story="Guests of the airport lounge; those who are customers too.",
    )
    demo.file(
        done, paths, **facts, audience="Lounge guests, all addresses", force_reconciliation=False,
        story="The same guests, all of them: a list of addresses until a workflow reconciles it.",
    )  # fmt: skip


def write_people(folder: Path, people: People, rng: np.random.Generator) -> tuple[Path, Path, dict[str, int]]:
    """Write the profiles file and the links file; give their places and the rows that cannot be imported."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = csv_lines(people.table)
    count = max(1, len(rows) // 5_000)
    some = [row.encode() for row in rows.take(pa.array(rng.permutation(len(rows))[: 3 * count])).to_pylist()]
    bad = {
        "missing_key": [b"," + row.split(b",", 1)[1] for row in some[:count]],
        "malformed_line": [row + b",,," for row in some[count : 2 * count]],
        "duplicate_key": some[2 * count :],
    }
    # at the end of the file: the first row of a key counts
    spoilt = pa.array([row for kind in bad.values() for row in kind], pa.binary())
    lines = pa.concat_arrays([rows.cast(pa.binary()), spoilt])
    profile_file = write_file(folder / "profiles.csv", file_bytes(lines, header=csv_header(people.table)))
    links = csv_lines(people.links).cast(pa.binary())
    links_file = write_file(folder / "visitor_links.csv", file_bytes(links, header=csv_header(people.links)))
    return profile_file, links_file, {reason: len(kind) for reason, kind in bad.items() if kind}


def csv_header(table: pa.Table) -> bytes:
    """Give the first line of a table."""
    return ",".join(table.column_names).encode() + b"\n"


def csv_lines(table: pa.Table) -> pa.Array:
    """Write rows as CSV, without their ends; quoted only where it must be."""
    columns = [column.combine_chunks().cast(pa.string()).fill_null("") for column in table.columns]
    special = [pc.match_substring_regex(column, '[",\n]') for column in columns]
    pairs = zip(special, columns, strict=True)
    quoted = [pc.if_else(mask, concat('"', pc.replace_substring(c, '"', '""'), '"'), c) for mask, c in pairs]
    return pc.binary_join_element_wise(*quoted, ",")


def make_demo(folder: Path, *, profiles: int = 50_000, seed: int = DEFAULT_SEED) -> DemoPlan:
    """Write people and deliveries into `folder`, and tell what was written.

    Args:
        folder: gets `people/` and `inbox/`; files of the same names are replaced.
        profiles: how many people the retailer knows, at least 1.
        seed: another seed, other people.

    Returns:
        Where everything is, the data sources to add, and the imports in their order.
    """
    people = make_people(np.random.default_rng([seed, profiles]), profiles)
    demo = Demo(folder, people, seed)
    profile_file, links_file, bad = write_people(folder / "people", people, demo.rng("people"))
    visitors(demo)
    customers(demo)
    for algorithm, share in (("sha256", 0.2), ("md5", 0.06), ("sha1", 0.04), ("sha384", 0.03), ("sha512", 0.05)):
        hashed(demo, algorithm, share)
    encrypted(demo, sms=False)
    encrypted(demo, sms=True)
    return DemoPlan(
        folder=folder, seed=seed, people=profiles, profile_file=profile_file, profile_rejects=bad,
        links_file=links_file, sources=demo.sources, files=demo.files,
    )  # fmt: skip
