"""Trees by chance: each fits the schema of the cases, and is written as a checker would give it."""

from __future__ import annotations

import datetime as dt
import functools

from condition_cases import AUDIENCES, COUNTRIES, DATES, MOMENTS, SCORES, TEXTS
from hypothesis import strategies as st

from symbolon.targeting.conditions import tree as t

_FIRST, _LAST = dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)  # noqa: DTZ001 - Hypothesis wants them bare
letters = st.one_of(
    st.sampled_from([one for one in [*TEXTS, *COUNTRIES] if one is not None]),
    st.text("vfaA%_\\'\"$ {}İßΣσ\t\n\r\0é.-*/@;", max_size=5),
)
texts = letters.map(t.Text)
integers = st.one_of(st.integers(-20, 120), st.integers(-(2**40), 2**40)).map(t.Number)
floats = st.one_of(
    st.sampled_from([abs(one) for one in SCORES if one is not None and one - one == 0]),
    st.floats(-1e6, 1e6, allow_nan=False),
).map(t.Number)
days = st.one_of(
    st.sampled_from([one for one in DATES if one]), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))
).map(t.Date)
moments = st.one_of(
    st.sampled_from([one for one in MOMENTS if one]),
    st.datetimes(_FIRST, _LAST, timezones=st.just(dt.UTC)),
).map(t.Moment)
comparisons = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
LEAVES = {
    "text": st.one_of(texts, st.sampled_from(["email", "first_name", "country"]).map(t.Column)),
    "integer": st.one_of(integers, st.just(t.Column("points"))),
    "number": st.one_of(floats, st.just(t.Column("score"))),
    "date": st.one_of(days, st.just(t.Column("birth_date"))),
    "moment": st.one_of(moments, st.just(t.Column("created")), st.just(t.Call("now"))),
}
#: what fits where a literal of another kind would be brought over
_SHORT = st.integers(-40, 40).map(t.Number)


def call(name: str, *parts) -> st.SearchStrategy:
    return st.tuples(*parts).map(lambda arguments: t.Call(name, arguments))


@functools.cache
def values(kind: str, deep: int = 2) -> st.SearchStrategy:
    """Values of a kind."""
    if not deep:
        return LEAVES[kind]
    inner = {name: st.deferred(lambda name=name: values(name, deep - 1)) for name in LEAVES}
    text, integer, date, moment = inner["text"], inner["integer"], inner["date"], inner["moment"]
    number = st.one_of(integer, inner["number"])
    choices = [
        st.tuples(conditions(deep - 1), inner[kind], inner[kind]).map(lambda three: t.Call("iif", three)),
        call("coalesce", inner[kind], inner[kind]),
        call("nullif", inner[kind], inner[kind]),
        call("least", inner[kind], inner[kind], inner[kind]),
        call("greatest", inner[kind], inner[kind]),
        call("decode", inner[kind], inner[kind], inner[kind]),
        st.tuples(conditions(deep - 1), inner[kind], st.one_of(st.none(), st.just(t.Null()), inner[kind])).map(
            lambda three: t.Case(((three[0], three[1]),), three[2])
        ),
    ]
    if kind == "text":
        choices += [call(name, text) for name in ("lower", "upper", "smart", "trim", "ltrim", "rtrim", "email_domain")]
        choices += [call(name, text) for name in ("md5", "sha1", "sha256")]
        choices += [
            call("left", text, integer),
            call("right", text, integer),
            call("substring", text, integer, integer),
        ]
        choices += [call("replace", text, text, text), call("concat", text, text, text)]
    if kind == "integer":
        choices += [call(name, date) for name in ("year", "month", "day", "weekday", "years_old")]
        choices += [call("length", text), call("hour", moment), call("days_between", date, moment)]
        choices += [call(name, number) for name in ("round", "floor", "ceil", "sign")]
        choices += [st.builds(t.Arithmetic, st.sampled_from("+-*"), integer, integer), call("abs", integer)]
    if kind == "number":
        choices += [st.builds(t.Arithmetic, st.sampled_from("+-*"), number, inner["number"])]
        choices += [st.builds(t.Arithmetic, st.just("/"), number, number), call("mod", inner["number"], number)]
        choices += [call("round", number, st.integers(0, 4).map(t.Number))]
    if kind == "date":
        choices += [call(name, moment) for name in ("trunc_year", "trunc_month", "trunc_week", "to_date")]
        choices += [call("to_date", text), call("days_ago", _SHORT), st.just(t.Call("today"))]
        choices += [call(name, date, _SHORT) for name in ("add_days", "add_months", "add_years")]
    if kind == "moment":
        choices += [call(name, moment, _SHORT) for name in ("add_days", "add_months", "add_years", "add_hours")]
    return st.one_of(LEAVES[kind], st.one_of(choices))


def _comparable(deep: int) -> st.SearchStrategy:
    """Two or three values of one kind."""
    kinds = [st.tuples(*[values(kind, deep)] * 3) for kind in ("text", "integer", "number", "date", "moment")]
    mixed = st.tuples(values("integer", deep), values("number", deep), values("integer", deep))
    return st.one_of(*kinds, mixed)


@st.composite
def _lists(draw: st.DrawFn, deep: int) -> t.In:
    kind, items = draw(st.sampled_from([("text", texts), ("integer", integers), ("date", days), ("moment", moments)]))
    return t.In(draw(values(kind, deep)), tuple(draw(st.lists(items, min_size=1, max_size=4))))


@st.composite
def _likes(draw: st.DrawFn, deep: int) -> t.Like:
    escape = draw(st.sampled_from(["", "", "!", "\\", "a"]))
    parts = draw(st.lists(st.one_of(letters, st.sampled_from("%_%_")), max_size=4))
    pattern = "".join(parts)
    if escape:
        pattern = pattern.replace(escape, escape * 2).replace("$", f"{escape}%")
    return t.Like(draw(values("text", deep)), pattern, escape)


def _exists(deep: int) -> st.SearchStrategy:
    status = st.builds(t.Compare, comparisons, st.just(t.Column("status")), texts)
    paid = st.builds(t.Compare, comparisons, st.just(t.Column("amount")), floats)
    placed = st.builds(t.Compare, comparisons, st.just(t.Column("placed")), days)
    where = st.one_of(st.none(), status, paid, placed, st.builds(t.Not, paid))
    return st.builds(t.Exists, st.just("orders"), where)


@functools.cache
def conditions(deep: int = 3) -> st.SearchStrategy:
    """Predicates."""
    small = min(max(deep - 1, 0), 1)
    leaves = [
        st.just(t.Column("opt_out")),
        st.booleans().map(t.Truth),
        st.tuples(comparisons, _comparable(small)).map(lambda two: t.Compare(two[0], two[1][0], two[1][1])),
        _comparable(small).map(lambda three: t.Between(*three)),
        _lists(small),
        _likes(small),
        st.one_of(*[values(kind, small) for kind in LEAVES]).map(t.IsNull),
        st.one_of(*[call(name, LEAVES["text"], LEAVES["text"]) for name in ("contains", "starts_with", "ends_with")]),
        call("is_empty", values("text", small)),
        _exists(small),
        st.sampled_from(sorted(AUDIENCES)).map(t.Member),
    ]
    if deep <= 0:
        return st.one_of(leaves)
    inner = st.deferred(lambda: conditions(deep - 1))
    names = st.text("Aé '%_/*-;\"v", min_size=1, max_size=6)
    groups = [
        st.builds(t.Group, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(t.Group, st.just("except"), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(t.Named, names, inner),
        inner.map(lambda node: node.rule if isinstance(node, t.Not) else t.Not(node)),
        st.builds(t.Compare, st.sampled_from(["=", "<>"]), inner, inner),
    ]
    return st.one_of(st.one_of(leaves), st.one_of(groups))
