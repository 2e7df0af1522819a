"""What a diagnosis works on: some IDs that found nobody, ways to read them, and where each is looked up.

Invariant: values live in memory only, and in nothing that has a `repr`; findings are counts and words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: a fault is named only if it explains so many IDs of the sample, and so much of it. Digests of 128 bits and more are
#: compared whole, so even one hit cannot be chance; fewer than these are a few people, not a fault of the delivery.
LEAST_HITS = 3
LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True, repr=False)
class Sample:
    """IDs that were refused, or that nobody has: as they came, with the reason."""

    ids: list[bytes]
    #: `unknown_id` or a reject reason, one for each ID
    reasons: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def least(self) -> int:
        """The smallest number of IDs that counts as evidence."""
        return least_hits(len(self.ids))


def least_hits(size: int) -> int:
    """Give the smallest number of hits among `size` IDs that counts as evidence."""
    return min(max(LEAST_HITS, round(LEAST_SHARE * size)), max(size, 1))


@dataclass(frozen=True, slots=True)
class Seal:
    """How an ID was decrypted. Names only: the key is not part of it."""

    #: the data source whose key opened it
    source: str
    #: version of that key
    version: int
    #: `fixed`: the source's IV; `prefixed`: in front of the value; `zero`; or the name of the source whose IV it is
    iv: str
    #: `cbc` or `ecb`
    mode: str = "cbc"
    #: `pkcs7`, or `none`: nothing, zeros or spaces at the end
    padding: str = "pkcs7"
    #: whether the digits of the key were used as they stand instead of the bytes they mean
    as_text: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read an ID, as facts; what they mean for a data source is said by `causes`."""

    #: `digest`, `plain` or `visitor`
    content: str
    #: `text`, `hex`, `base64`, `base64_of_hex`, `hex_of_hex`, `percent`, `wide`
    writing: str = "text"
    #: spaces, quotation marks or a byte order mark stood around it
    wrapped: bool = False
    #: leading zeros were put back
    zeros: bool = False
    #: what a telephone number was completed with: `plus`, or `region:XX`; empty = nothing
    change: str = ""
    seal: Seal | None = None


@dataclass(slots=True, repr=False)
class Candidates:
    """The match keys of the IDs that can be read in one way."""

    reading: Reading
    #: `md5` ... `sha512`, or `visitor`
    algorithm: str
    #: of plain values, the kind of field they were normalised as: `email`, `phone`, `text`; empty = any
    kind: str = ""
    #: of plain values, the form they were brought to, which the profile's value must be brought to as well; empty = any
    form: str = ""
    #: match key (digest, or 38 digits) -> numbers of the IDs
    keys: dict[bytes, list[int]] = field(default_factory=dict)

    def add(self, number: int, key: bytes) -> None:
        """Add the match key of one ID."""
        self.keys.setdefault(key, []).append(number)

    def drop(self, numbers: set[int]) -> None:
        """Forget the match keys of some IDs."""
        left = {key: [one for one in mine if one not in numbers] for key, mine in self.keys.items()}
        self.keys = {key: mine for key, mine in left.items() if mine}

    @property
    def size(self) -> int:
        """How many IDs have one."""
        return sum(map(len, self.keys.values()))


@dataclass(frozen=True, slots=True)
class Target:
    """Where match keys are looked up: a field of the profiles, brought to a form, digested."""

    #: profile field; empty = visitor links
    field: str
    #: a name of `forms`, or `scheme:NAME`, `region:XX`
    form: str
    algorithm: str


@dataclass(slots=True, repr=False)
class Hit:
    """IDs that would match if read in one way and looked up at one place."""

    reading: Reading
    target: Target
    #: numbers of the IDs
    ids: set[int]
    #: share of the profiles that were looked through; 1 = all
    tried: float = 1.0
