"""Normalisation schemes: a registry of dated rules, each with its source and its vectors."""

from symbolon.ids.normalise.forms import ALIASED
from symbolon.ids.normalise.registry import (
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
from symbolon.ids.normalise.rule import Rule

__all__ = [
    "ALIASED",
    "Rule",
    "field_for",
    "normalise",
    "pinned",
    "rule",
    "scheme_rules",
    "schemes",
    "simple_form",
    "simple_pattern",
    "valid_address",
]
