# ruff: noqa: E501 - lists of cases
"""What is refused, where, and with which mend; nothing else gets through."""

from __future__ import annotations

import pickle

import ibis
import pytest
from condition_cases import LINKED, SCHEMA
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.conditions import (
    ConditionError,
    condition_from_tree,
    parse_condition,
    parse_expression,
    parse_order,
)

#: each of them must be refused
INJECTIONS = [
    "country = 'FR'; DROP TABLE people",
    "country = 'FR' --'\n; SELECT 1",
    "1 = 1) UNION SELECT * FROM links --",
    "country = 'FR' UNION ALL SELECT 1",
    "SELECT * FROM people",
    "(SELECT email FROM people) = 'x'",
    "email IN (SELECT email FROM links)",
    "EXISTS (SELECT email FROM links)",
    "EXISTS (SELECT 1 FROM links, orders)",
    "EXISTS (SELECT 1 FROM links JOIN orders)",
    "EXISTS (SELECT 1 FROM links UNION SELECT 1)",
    "EXISTS (SELECT 1 FROM read_csv('/etc/passwd'))",
    "EXISTS (SELECT 1 FROM '/etc/passwd')",
    'EXISTS (SELECT 1 FROM "/etc/passwd")',
    "EXISTS (SELECT 1 FROM information_schema.tables)",
    "EXISTS (SELECT 1 FROM people)",
    "EXISTS (SELECT 1 FROM links WHERE email = 'x')",
    "EXISTS (WITH x AS (SELECT 1) SELECT 1 FROM x)",
    "read_csv('/etc/passwd') IS NOT NULL",
    "read_text('/etc/passwd') = 'x'",
    "getenv('HOME') = 'x'",
    "current_setting('threads') = '2'",
    "system('id') = 'x'",
    "reflect('java.lang.Runtime', 'getRuntime') = 'x'",
    "java_method('a', 'b') = 'x'",
    "pg_read_file('/etc/passwd') = 'x'",
    "load_extension('x') IS NULL",
    "error('x') = 'x'",
    '"email" "FROM" = 1',
    "\"email' OR '1'='1\" = 'x'",
    'email = "x"',
    "email = $1",
    "email = :name",
    "email = ?",
    "email = @name",
    "email = ${env:HOME}",
    "email = {{ name }}",
    "email = $$x$$",
    "email = x'00'",
    "email = N'x'",
    "email = E'\\x41'",
    "email::integer = 1",
    "CAST(email AS integer) = 1",
    "email COLLATE \"de_DE\" = 'x'",
    "email ~ 'x'",
    "email SIMILAR TO 'x'",
    "email RLIKE '(a+)+$'",
    "regexp_matches(email, '(a+)+$')",
    "sum(points) > 1",
    "count(*) > 1",
    "row_number() OVER () = 1",
    "sum(points) OVER (PARTITION BY country) > 1",
    "points = ALL (1, 2)",
    "aes_decrypt(email, 'key') = 'x'",
    "encryption_aescbcDecrypt(email, 'key', 'iv') = 'x'",
    "people.email = 'x'",
    "email = 'x' INTO OUTFILE '/tmp/x'",
    "points[0] = 1",
    "email -> 'x' = 'y'",
    "(email, country) = ('a', 'b')",
    "lambda x: x",
    "sleep(10) IS NULL",
    "random() < 0.5",
    "uuid() = email",
    "email = 'x' ORDER BY points",
    "email = 'x' LIMIT 1",
    "`email` = 'x'",
    "email = 'it\\'s'",
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCHEMA, linked=LINKED)
    for fault in caught.value.faults:
        assert fault.message
        assert fault.line >= 1
        assert fault.column >= 1
    assert any(fault.hint for fault in caught.value.faults)


def faults(text: str, schema=SCHEMA) -> list[tuple[str, str, str]]:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, schema, linked=LINKED)
    return [(fault.place, fault.message, fault.hint) for fault in caught.value.faults]


def test_all_faults_at_once_each_in_its_place() -> None:
    text = "emial = 'x' AND country > 5\n  OR (points = ) AND yeers_old(birth_date) >= '18'\n  OR first_name"
    found = faults(text)
    assert found == [
        ("1:1", "there is no column `emial`", "did you mean `email`?"),
        ("1:27", "`country` is text, this is a whole number: they cannot be compared", "write the number in quotes"),
        ("2:14", "the condition cannot be read at `=`", found[2][2]),
        ("2:22", "there is no function `yeers_old`", "did you mean `years_old`?"),
        ("3:6", "`first_name` is text, not a condition", "did you mean `first_name IS NOT NULL`?"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "part", "hint"),
    [
        ("", "1:1", "nothing is asked", "email IS NOT NULL"),
        ("  -- only a comment", "1:1", "nothing is asked", ""),
        ("email", "1:1", "`email` is text, not a condition", "did you mean `email IS NOT NULL`?"),
        ("points + 1", "1:1", "a whole number, not a condition", ""),
        ("NULL", "1:1", "NULL, not a condition", "TRUE or FALSE"),
        ("points = '5'", "1:10", "`points` is a whole number, this is text", "without quotes"),
        ("country = 5", "1:11", "`country` is text, this is a whole number", "in quotes"),
        ("opt_out = 'yes'", "1:11", "`opt_out` is true or false, this is text", "TRUE or FALSE"),
        ("opt_out > FALSE", "1:1", "not larger or smaller", "= or <>"),
        ("email = NULL", "1:9", "nothing is ever equal to NULL", "IS NULL"),
        ("email <> NULL", "1:10", "nothing is ever equal to NULL", "IS NOT NULL"),
        ("points NOT IN (1, NULL)", "1:19", "nothing is ever equal to NULL", "IS NULL"),
        ("points IN (1, points)", "1:15", "only literals", ""),
        ("points IN ()", "1:11", "the list is empty", ""),
        ("birth_date > '31.01.2026'", "1:14", "this text is no date", "'2026-01-31'"),
        ("birth_date > DATE '2026-02-30'", "1:14", "this text is no date", "'2026-01-31'"),
        ("birth_date > email", "1:14", "`birth_date` is a date, `email` is text", "to_date"),
        ("years_old(country) > 18", "1:11", "asks for a date or a moment, `country` is text", "to_date"),
        ("years_old() > 18", "1:1", "given 0 arguments", "years_old(date)"),
        ("left(email, score) = 'x'", "1:13", "asks for a whole number", "round"),
        ("add_days(birth_date, 1000000) > now()", "1:22", "366,000", ""),
        ("email + 'x' = 'y'", "1:1", "`email` is text, not a number", "||"),
        ("birth_date - 1 > now()", "1:1", "`birth_date` is a date, not a number", "add_days"),
        ("points % 2 = 0", "1:8", "`%`", "mod(a, b)"),
        ("email ILIKE 'x'", "1:7", "`ILIKE`", "lower"),
        ("email LIKE country", "1:12", "pattern of LIKE", "contains"),
        ("email LIKE 'a!b' ESCAPE '!'", "1:12", "behind the sign of ESCAPE", "LIKE '50!%'"),
        ("points LIKE '1%'", "1:1", "LIKE is for text", ""),
        ("opt_out AND points = 1 EXCEPT points = 2", "1:1", "`AND` beside `EXCEPT`", "brackets"),
        ("opt_out EXCEPT points = 2 OR opt_out", "1:1", "`EXCEPT` beside `OR`", "brackets"),
        ("opt_out, opt_out", "1:10", "one condition ends before the comma", "AND"),
        ("(opt_out", "1:1", "bracket that begins here has no end", ")"),
        ("opt_out)", "1:8", "not opened", ""),
        ("email = 'x", "1:9", "text that begins here has no end", "'"),
        ("opt_out /* x", "1:9", "comment that begins here has no end", "*/"),
        ("CASE WHEN opt_out THEN 1 > 0", "1:1", "CASE that begins here has no end", "END"),
        ("EXISTS (SELECT 1 FROM linsk)", "1:23", "there is no linked table `linsk`", "did you mean `links`?"),
        ("EXISTS (SELECT 1 FROM links WHERE country = 'x')", "1:35", "no column `country` in `links`", "outside of it"),
        ("now > created", "1:1", "`now` is a function", "now()"),
        ("GetDate() > created", "1:1", "there is no function `GetDate`", "did you mean `now`?"),
        ("AddDays(created, 1) > now()", "1:1", "there is no function `AddDays`", "did you mean `add_days`?"),
        ("max(points) > 1", "1:1", "is an aggregate", "enrichment only"),
        ("rank() = 1", "1:1", "is a window function", ""),
        ("decrypt(email) = 'x'", "1:1", "not offered", "permission"),
        ("points = 99999999999999999999999999999999999999", "1:10", "too large", "in quotes"),
        ("score = 1e999", "1:9", "too large", ""),
        ("coalesce(email, 1) = 'x'", "1:17", "cannot be used together", ""),
        ("in_audience(email)", "1:1", "name of one audience", "in_audience('VIP')"),
        ("named('', opt_out)", "1:7", "a name has 1 to 200", ""),
        ("email = 'x' AND", "1:13", "cannot be read at `AND`", ""),
        ("email == 'x' = 'y'", "1:16", "is true or false, this is text", ""),
    ],
)  # fmt: skip
def test_a_fault_has_a_place_and_a_mend(text: str, place: str, part: str, hint: str) -> None:
    found = faults(text)
    assert len(found) == 1, found
    assert found[0][0] == place
    assert part in found[0][1]
    assert hint in found[0][2]


@pytest.mark.parametrize(
    "text",
    [
        "email = 'jane.doe@example.com' AND points = 'jane.doe@example.com'",
        'email = "jane.doe@example.com"',
        "birth_date = 'jane.doe@example.com'",
        "email = N'jane.doe@example.com'",
        "email LIKE 'jane.doe@example.com' ESCAPE 'jane.doe@example.com'",
        "to_date('jane.doe@example.com') = 'jane.doe@example.com'",
        "email = 'jane.doe@example.com",
        "in_audience('jane.doe@example.com', 1)",
        "points IN (1, 'jane.doe@example.com')",
        "email 'jane.doe@example.com'",
    ],
)
def test_no_message_holds_a_literal(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCHEMA)
    assert "jane" not in str(caught.value) + repr(caught.value.as_dict()) + repr(caught.value.faults)


@pytest.mark.parametrize(
    ("begin", "middle", "end"),
    [
        ("(", "opt_out", ")"), ("NOT ", "opt_out", ""), ("- ", "points", " = 1"), ("lower(", "email", ")"),
        ("CASE WHEN opt_out THEN ", "TRUE", " END"), ("opt_out = ", "opt_out", ""), ("1 + ", "points", " = 1"),
        ("EXISTS (SELECT 1 FROM links WHERE ", "last_seen IS NULL", ")"), ("named('a', ", "opt_out", ")"),
        ("opt_out AND (opt_out OR ", "opt_out", ")"), ("upper(smart(", "email", "))"), ("round(", "score", ")"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [52, 400, 3000])
def test_deep_nesting_is_a_fault(begin: str, middle: str, end: str, times: int) -> None:
    with pytest.raises(ConditionError):
        parse_condition(begin * times + middle + end * times, SCHEMA, linked=LINKED)


def test_fifty_deep_is_allowed_and_can_be_written_for_an_engine() -> None:
    from condition_cases import OnEngine

    from symbolon.targeting.conditions import compile_condition

    class Unbound:
        @staticmethod
        def relation(table):
            return ibis.table(ibis.Schema.from_pyarrow(table.schema), name=f"t{table.num_columns}")

    scope = OnEngine(Unbound)
    deepest = [
        "(" * 50 + "opt_out" + ")" * 50,
        "lower(" * 48 + "email" + ")" * 48 + " = 'x'",
        "NOT (opt_out OR " * 24 + "opt_out" + ")" * 24,
        "coalesce(email, " * 48 + "'x'" + ")" * 48 + " = 'x'",
        "CASE WHEN opt_out THEN 'a' ELSE " * 48 + "email" + " END" * 48 + " = 'x'",
        "EXISTS (SELECT 1 FROM links WHERE opt OR ".replace("opt", "last_seen IS NULL") * 5 + "TRUE" + ")" * 5,
        " AND ".join(["points > 1"] * 330),
        "points IN (" + ",".join(["1"] * 9_900) + ")",
    ]
    for text in deepest:
        condition = parse_condition(text, SCHEMA, linked=LINKED)
        assert parse_condition(condition.text, SCHEMA, linked=LINKED) == condition
        assert ibis.to_sql(compile_condition(condition, scope.people, scope), dialect="duckdb")


def test_limits() -> None:
    assert "20,001 characters" in faults("x" * 20_001)[0][1]
    assert "at most 1,000" in faults(" AND ".join(["opt_out"] * 1_001))[0][1]
    items = {"field": "points", "operator": "in", "value": list(range(10_001))}
    with pytest.raises(ConditionError, match="10,001 items"):
        condition_from_tree(items, SCHEMA)


@pytest.mark.parametrize(
    ("rules", "path", "part"),
    [
        ({}, "$", "this is no rule"),
        ({"combinator": "and", "rules": []}, "$", "a group needs rules"),
        ({"combinator": "nand", "rules": [{}, 1]}, "$.combinator", "no such combinator"),
        ({"combinator": "and", "rules": [{"audience": "A"}, 5]}, "$.rules[1]", "this is no rule"),
        ({"field": "emial", "operator": "is null"}, "$.field", "no column `emial`"),
        ({"field": "email", "operator": "matches", "value": "x"}, "$.operator", "no operator `matches`"),
        ({"field": "points", "operator": "=", "value": "x"}, "$.value", "cannot be compared"),
        ({"field": "points", "operator": "in", "value": [1, "x"]}, "$.value[1]", "cannot be compared"),
        ({"field": "points", "operator": "in", "value": 1}, "$.value", "takes a list"),
        ({"field": "points", "operator": "=", "value": float("nan")}, "$.value", "no literal"),
        ({"field": "points", "operator": "=", "value": {"a": 1}}, "$.value", "no literal"),
        ({"field": "points", "operator": "="}, "$", "needs a value"),
        ({"field": "points", "operator": "is null", "value": 1}, "$.value", "takes no value"),
        ({"expression": "emial = 'x'"}, "$.expression", "no column `emial`"),
        ({"expression": "email"}, "$.expression", "not a condition"),
        ({"exists": {"table": "linsk"}}, "$.exists.table", "no linked table"),
        ({"exists": {"table": "links", "where": {"audience": 1}}}, "$.exists.where.audience", "is a text"),
        ({"audience": "A", "not": "yes"}, "$.not", "true or false"),
        ({"audience": "A", "nam": "yes"}, "$", "`nam` is no part of a rule"),
        ({"combinator": "and", "rules": [{"audience": "A"}, {"field": "x; DROP", "operator": "is null"}]}, "$.rules[1].field", "no such column"),
    ],
)  # fmt: skip
def test_a_fault_of_a_tree_has_its_path(rules, path: str, part: str) -> None:
    with pytest.raises(ConditionError) as caught:
        condition_from_tree(rules, SCHEMA, linked=LINKED)
    assert any(fault.path == path and part in fault.message for fault in caught.value.faults), caught.value.faults


def test_a_deep_tree_is_a_fault() -> None:
    rules: dict = {"audience": "A"}
    for _ in range(500):
        rules = {"combinator": "or", "rules": [rules]}
    with pytest.raises(ConditionError, match="deep"):
        condition_from_tree(rules, SCHEMA)


def test_expressions_and_orders() -> None:
    with pytest.raises(ConditionError, match="NULL alone"):
        parse_expression("NULL", SCHEMA)
    with pytest.raises(ConditionError) as caught:
        parse_order("emial, points DESC NULLS FIRST, yeers(birth_date) ASC", SCHEMA)
    assert [fault.place for fault in caught.value.faults] == ["1:1", "1:33"]
    keys = parse_order("email, years_old(birth_date) desc nulls first, points + 1 ASC", SCHEMA)
    assert [key.text for key in keys] == [
        "email ASC NULLS LAST",
        "years_old(birth_date) DESC NULLS FIRST",
        "points + 1 ASC NULLS LAST",
    ]
    assert parse_expression("tags", {"tags": "array<string>"}).type == ibis.dtype("array<string>")


def test_the_error_travels() -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition("emial = 1", SCHEMA)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert again.faults == caught.value.faults
    assert again.hint == "did you mean `email`?"


WORDS = [
    "email", "points", "opt_out", "birth_date", "AND", "OR", "NOT", "EXCEPT", "(", ")", ",", "=", "<", "'x'", "''", "1", "-",
    "+", "||", "NULL", "IS", "IN", "BETWEEN", "LIKE", "ESCAPE", "CASE", "WHEN", "THEN", "ELSE", "END", "EXISTS", "SELECT",
    "FROM", "links", "WHERE", "*", "lower", "now", "iif", "named", "DATE", "TIMESTAMP", ";", ".", '"', "'", "--", "/*", "$",
    "{", "?", "TRUE", "INTERVAL", "\0", "😀", "\n", "[", "::", "OVER", "UNION", "DESC", "NULLS", "FIRST",
]  # fmt: skip


@settings(max_examples=400)
@given(st.one_of(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), st.text(max_size=40)))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    for parse in (parse_condition, parse_expression, parse_order):
        try:
            found = parse(text, SCHEMA, **({} if parse is parse_order else {"linked": LINKED}))
        except ConditionError:
            continue
        if parse is not parse_order:
            assert parse(found.text, SCHEMA, linked=LINKED) == found
