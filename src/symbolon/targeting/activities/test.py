"""Test: the first branch whose condition is true is taken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pyarrow as pa
from msgspec import Meta

from symbolon.targeting.activity import Activity, Category, Context, Inputs, Mode, Options, Outcome

if TYPE_CHECKING:
    import ibis

    from symbolon.targeting.population import Population

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us", tz="UTC"),
}


class Branch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to go on."""

    #: name of the transition
    name: str
    #: condition over `count` and parameters
    if_: str = msgspec.field(name="if")


class TestOptions(Options, frozen=True, kw_only=True):
    """The branches, in the order in which they are tried."""

    branches: Annotated[
        list[Branch],
        Meta(
            description="Branches, each with `name` and `if`: a condition over `count` (rows that come in; `count_2` "
            "of the second transition, ...) and the parameters of the run. The first that is true is taken."
        ),
    ]
    else_: Annotated[
        str, Meta(description="Name of the transition that is taken if no condition is true; empty = none.")
    ] = msgspec.field(name="else", default="else")


def apply(options: TestOptions, context: Context) -> Outcome:
    """Give the inbound population to the branch that is taken, and to no other."""
    inbound = context.inputs[0] if context.inputs else None
    names = _names(options)
    _check(options, context)
    facts = _facts(context, [one for one in context.inputs if one is not None])
    taken = None
    for place, branch in enumerate(options.branches):
        met = context.condition(branch.if_, facts, f"branches[{place}].if")
        if context.mode is not Mode.CHECK and taken is None and context.count(met):
            taken = branch.name
    if context.mode is Mode.CHECK:
        return dict.fromkeys(names, inbound)
    taken = taken or options.else_
    context.note(taken=taken or None)
    return {taken: inbound} if taken else {}


def _names(options: TestOptions) -> list[str]:
    names = [branch.name for branch in options.branches] + ([options.else_] if options.else_ else [])
    return list(dict.fromkeys(names))


def _check(options: TestOptions, context: Context) -> None:
    if not options.branches:
        context.fault("branches", "a test needs at least one branch", "branches: [{name: many, if: count > 1000}]")
    given = [(f"branches[{place}].name", branch.name) for place, branch in enumerate(options.branches)]
    if options.else_:
        given.append(("else", options.else_))
    seen: set[str] = set()
    for path, name in given:
        if not _NAME.fullmatch(name):
            context.fault(
                path, "a transition is named by a lower-case letter, then letters, digits or `_`", "name: many"
            )
        elif name in seen:
            context.fault(path, f"two branches are called `{name}`", "join conditions with OR, or choose another name")
        seen.add(name)


def _facts(context: Context, inputs: list[Population]) -> ibis.Table:
    """Give one row with what conditions may look at."""
    row: dict[str, pa.Scalar[Any]] = {
        name: pa.scalar(context.parameters.get(name), _TYPES[kind]) for name, kind in context.parameter_types.items()
    }
    for place, population in enumerate(inputs, start=1):
        row["count" if place == 1 else f"count_{place}"] = pa.scalar(context.count(population.relation), pa.int64())
    if not inputs:
        row["count"] = pa.scalar(0, pa.int64())
    return context.engine.relation(pa.table({name: pa.array([one.as_py()], one.type) for name, one in row.items()}))


ACTIVITY = Activity(
    name="test",
    title="Test",
    summary="Takes the first branch whose condition is true.",
    category=Category.FLOW,
    options=TestOptions,
    apply=apply,
    inputs=Inputs(1, None),
    outputs=_names,
    kept=True,
    example="""\
- id: enough
  type: test
  from: subscribers
  branches:
    - {name: many, if: count > 1000}
    - {name: some, if: count > 0}
  else: nobody
""",
    notes="""\
Conditions are those of `query`, over one row of facts: `count`, the number of rows that come in (`count_2` for the
second transition of `from`, and so on), and the parameters of the run by their names. The population of the first
transition goes to the branch that is taken. What follows the other branches is skipped.

What comes in is counted once; a run that goes on after a crash takes the same branch. A plan takes the branch that a
run would take now.
""",
)
