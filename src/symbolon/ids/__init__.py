"""Identifiers: read, normalised, decrypted and digested, columns in and columns out."""

from symbolon.columns import column
from symbolon.ids.aes import encrypt
from symbolon.ids.conformance import Disagreement, Verdict, compare, rules_to_compare
from symbolon.ids.digesting import normal_digests
from symbolon.ids.errors import VectorFileError, VectorsDisagree
from symbolon.ids.mask import mask
from symbolon.ids.matchkeys import MatchKeys, match_keys, visitor_words
from symbolon.ids.normalise import (
    ALIASED,
    Rule,
    field_for,
    normalise,
    pinned,
    rule,
    scheme_rules,
    schemes,
    simple_form,
    simple_pattern,
    valid_address,
)
from symbolon.ids.protecting import encoded, protect, wire_text
from symbolon.ids.recognise import Recognised, recognise
from symbolon.ids.spec import IdSpec
from symbolon.ids.tracing import Trace, trace
from symbolon.ids.vectors import Vector, VectorFile, read_vectors
from symbolon.ids.words import digest_words, word_count, words_of_digests, words_to_text

__all__ = [
    "ALIASED",
    "Disagreement",
    "IdSpec",
    "MatchKeys",
    "Recognised",
    "Rule",
    "Trace",
    "Vector",
    "VectorFile",
    "VectorFileError",
    "VectorsDisagree",
    "Verdict",
    "column",
    "compare",
    "digest_words",
    "encoded",
    "encrypt",
    "field_for",
    "mask",
    "match_keys",
    "normal_digests",
    "normalise",
    "pinned",
    "protect",
    "read_vectors",
    "recognise",
    "rule",
    "rules_to_compare",
    "scheme_rules",
    "schemes",
    "simple_form",
    "simple_pattern",
    "trace",
    "valid_address",
    "visitor_words",
    "wire_text",
    "word_count",
    "words_of_digests",
    "words_to_text",
]
