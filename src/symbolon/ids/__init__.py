"""Identifiers: read, normalised, decrypted and digested, columns in and columns out."""

from symbolon.ids.aes import encrypt
from symbolon.ids.columns import column
from symbolon.ids.mask import mask
from symbolon.ids.matchkeys import MatchKeys, match_keys, visitor_words
from symbolon.ids.normalise import (
    Rule,
    field_for,
    normalise,
    rule,
    schemes,
    simple_form,
    simple_pattern,
    valid_address,
)
from symbolon.ids.spec import IdSpec
from symbolon.ids.words import digest_words, word_count, words_of_digests, words_to_text

__all__ = [
    "IdSpec",
    "MatchKeys",
    "Rule",
    "column",
    "digest_words",
    "encrypt",
    "field_for",
    "mask",
    "match_keys",
    "normalise",
    "rule",
    "schemes",
    "simple_form",
    "simple_pattern",
    "valid_address",
    "visitor_words",
    "word_count",
    "words_of_digests",
    "words_to_text",
]
