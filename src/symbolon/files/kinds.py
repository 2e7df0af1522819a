"""What a file is by its first bytes, and which kinds are refused where lines are expected."""

from __future__ import annotations

from symbolon.errors import Location
from symbolon.files.errors import FileEmpty, FileKindError

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
UTF8_BOM = b"\xef\xbb\xbf"
#: bytes that are looked at
HEAD_BYTES = 4096
#: fewer bytes than these are no proof of UTF-16
_SAMPLE_BYTES = 16

#: first bytes -> (what it is, how to mend); long enough that no ID begins so by chance
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive (or a spreadsheet)", "unpack it, or save it as CSV; gzip is read as it is"),
    (b"PK\x05\x06", "an empty zip archive", "ask the sender for the file again"),
    (b"BZh91AY&SY", "a bzip2 file", "unpack it first: `bunzip2 FILE`; gzip is read as it is"),
    (b"\xfd7zXZ\x00", "an xz file", "unpack it first: `unxz FILE`; gzip is read as it is"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first: `unzstd FILE`; gzip is read as it is"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first; gzip is read as it is"),
    (b"\x89PNG", "a PNG picture", "name the file that holds the IDs"),
    (b"\xff\xd8\xff", "a JPEG picture", "name the file that holds the IDs"),
    (b"GIF89a", "a GIF picture", "name the file that holds the IDs"),
    (b"%PDF-", "a PDF document", "name the file that holds the IDs"),
    (b"\x7fELF", "a program", "name the file that holds the IDs"),
    (b"SQLite format 3\x00", "a SQLite database", "export the table as CSV or Parquet"),
    (b"Obj\x01", "an Avro file", "convert it to Parquet or NDJSON"),
    (b"-----BEGIN PGP MESSAGE-----", "a PGP message", "decrypt it first: `gpg --decrypt FILE`"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save it as CSV"),
    (b"\xff\xfe", "UTF-16 text", "convert it: `iconv -f UTF-16 -t UTF-8 FILE > NEW`"),
    (b"\xfe\xff", "UTF-16 text", "convert it: `iconv -f UTF-16 -t UTF-8 FILE > NEW`"),
    (b"\x00\x00\xfe\xff", "UTF-32 text", "convert it: `iconv -f UTF-32 -t UTF-8 FILE > NEW`"),
)


def refuse_other_kinds(head: bytes, name: str) -> None:
    """Refuse what cannot be lines of text, by the first bytes of the (unpacked) content.

    A NUL here and there is the fault of a line; every other byte a NUL is UTF-16.

    Raises:
        FileEmpty: there are no bytes.
        FileKindError: it is a picture, an archive, a Parquet file, UTF-16 text ...
    """
    where = Location(name)
    if not head:
        raise FileEmpty("the file is empty", where=where)
    if is_parquet(head):
        raise FileKindError(
            "the file is Parquet, and lines of text are expected here",
            where=where,
            hint="a Parquet file is read as a list: leave out the segment, and name the column with --column",
        )
    if head.startswith(GZIP):
        raise FileKindError(
            "the file is compressed twice", where=where, hint="unpack it once: `gunzip --stdout FILE > NEW`"
        )
    for magic, what, hint in _KINDS:
        # two bytes alone are no proof of UTF-16: a damaged first line may begin with them
        if head.startswith(magic) and (magic not in (b"\xff\xfe", b"\xfe\xff") or _alternates(head[2:])):
            raise FileKindError(f"the file is {what}, and lines of text are expected here", where=where, hint=hint)
    if _alternates(head):
        raise FileKindError(
            "the file is UTF-16 text, and UTF-8 is expected here",
            where=where,
            hint="convert it: `iconv -f UTF-16LE -t UTF-8 FILE > NEW`",
        )


def is_parquet(head: bytes) -> bool:
    """Whether a file is Parquet: its mark, and then bytes that no text has; an ID may begin like the mark."""
    return head.startswith(PARQUET) and min(head[len(PARQUET) : 64], default=0) < ord("\t")


def _alternates(head: bytes) -> bool:
    """Whether nearly every other byte is NUL, as it is in UTF-16 text of Latin letters."""
    sample = head[: len(head) & ~1]
    if len(sample) < _SAMPLE_BYTES:
        return False
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    return (even >= 0.8 * half and odd <= 0.1 * half) or (odd >= 0.8 * half and even <= 0.1 * half)
