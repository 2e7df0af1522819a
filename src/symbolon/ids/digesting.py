"""From values to the digests that are compared: normalised first, and taken as they are where they are digests already.

Invariant: the digest of nothing is neither made nor taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.columns import flags, nulled
from symbolon.ids.normalise import normalise
from symbolon.ids.recognise import ready_digests
from symbolon.ids.words import Words, digest_words, words_of_digests

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def normal_digests(
    values: pa.Array, scheme: str, field: str, region: str, algorithm: str
) -> tuple[pa.Array, Words, NDArray[np.bool_]]:
    """Normalise and digest a column of strings.

    Args:
        values: string; null is no value.
        scheme: the normalisation scheme.
        field: `email`, `phone`, `text` or `exact`.
        region: of telephone numbers without a country code.
        algorithm: of the digest.

    Returns:
        The normalised values (null where there is none, and where the value was a digest already); the words of the
        digests; and which values have one.
    """
    normal = normalise(values, scheme, field, region)
    ready, places, raw = ready_digests(values, field, algorithm)
    if not ready.any():
        there = flags(normal.is_valid())
        return normal, digest_words(normal, algorithm), there
    normal = nulled(normal, ~ready & flags(normal.is_valid()))
    there = flags(normal.is_valid())
    words = digest_words(normal, algorithm)
    for word, made in zip(words, words_of_digests(raw, algorithm), strict=True):
        word[places] = made
    there[places] = True
    return normal, words, there
