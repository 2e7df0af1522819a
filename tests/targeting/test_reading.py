"""Definitions: every fault is found at once, with its place; what is read is a graph without circles."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from symbolon.targeting import read_workflow
from symbolon.targeting.definition import MOST_ACTIVITIES
from symbolon.targeting.documents import Document
from symbolon.targeting.faults import WorkflowInvalid
from symbolon.targeting.ordering import below

GOOD = """\
symbolon: 1
name: monthly
activities:
  - id: adults
    type: query
    where: email IS NOT NULL
  - {id: others, type: query}
  - {id: both, type: union, from: [adults, others]}
"""


def faults(text: str) -> dict[str, tuple[str, int, int]]:
    with pytest.raises(WorkflowInvalid) as caught:
        read_workflow(text, "monthly.yaml")
    told = caught.value.details["faults"]
    return {one["path"]: (one["message"], one["file_line"], one["file_column"]) for one in told}


def test_a_good_one() -> None:
    workflow = read_workflow(GOOD)
    assert [node.id for node in workflow.nodes] == ["adults", "others", "both"]
    both = workflow.node("both")
    assert both is not None
    assert [str(source) for source in both.sources] == ["adults.result", "others.result"]
    assert [node.id for node in workflow.consumers("adults", "result")] == ["both"]


def test_json_is_read_the_same_way() -> None:
    as_json = read_workflow(json.dumps(yaml.safe_load(GOOD)))
    assert as_json.nodes == read_workflow(GOOD).nodes


def test_every_fault_at_once_each_with_its_place() -> None:
    found = faults("""\
symbolon: 2
name: Monthly
on_overlap: never
activities:
  - {id: a, type: quer}
  - id: b
    type: query
    where: 3
    wher: x
  - {id: b, type: union, from: [a, c]}
  - {id: 1x, type: query}
  - {id: alone, type: union}
  - {id: out, type: union, from: [b.nothing, b]}
  - just text
""")
    assert {path: (line, column) for path, (_, line, column) in found.items()} == {
        "$.symbolon": (1, 11),
        "$.name": (2, 7),
        "$.on_overlap": (3, 13),
        "$.activities[0].type": (5, 19),
        "$.activities[1].where": (8, 12),
        "$.activities[1].wher": (9, 11),
        "$.activities[2].id": (10, 10),
        "$.activities[2].from[1]": (10, 36),
        "$.activities[3].id": (11, 10),
        "$.activities[4].from": (12, 5),
        "$.activities[5].from[0]": (13, 35),
        "$.activities[6]": (14, 5),
    }
    assert found["$.activities[2].from[1]"][0] == "there is no activity `c`"


def test_the_nearest_names_are_told() -> None:
    with pytest.raises(WorkflowInvalid) as caught:
        read_workflow("name: x\nactivities: [{id: a, type: interseccion}]")
    assert caught.value.hint == "did you mean `intersection`?"
    assert str(caught.value.where) == "workflow:2:28"


def test_a_circle_is_told_by_its_activities() -> None:
    found = faults("""\
name: x
activities:
  - {id: all, type: query}
  - {id: a, type: union, from: [all, c]}
  - {id: b, type: union, from: [a, all]}
  - {id: c, type: union, from: [b, all]}
""")
    ((message, *_),) = found.values()
    assert message.startswith("these activities go in a circle: ")
    assert {"`a`", "`b`", "`c`"} == set(message.split(": ")[1].split(" -> "))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "name: [",
        "name: x\nname: y",
        "a: &x [1]\nb: *x",
        "a: !!python/object/apply:os.system [id]",
        "\0",
        "[" * 500,
        "x: " + "{a: " * 60 + "1" + "}" * 60,
        "name: x\nactivities: " + "x" * 1_000_001,
        "name: x\nactivities:\n" + "  - {id: a, type: query}\n" * (MOST_ACTIVITIES + 1),
        "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]",
        "\ud800",
    ],
)
def test_hostile_documents_are_refused_in_words(text: str) -> None:
    with pytest.raises(WorkflowInvalid) as caught:
        read_workflow(text)
    assert caught.value.details["faults"]


@given(st.data())
def test_activities_come_after_those_they_follow(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    order = data.draw(st.permutations(range(count)))
    nodes = []
    for place in range(count):
        come = data.draw(st.lists(st.sampled_from(range(place)), unique=True, max_size=4)) if place else []
        names = [f"n{one}" for one in come]
        kind = "query" if not names else "deduplication" if len(names) == 1 else "union"
        options = {"by": ["profile_id"]} if kind == "deduplication" else {}
        nodes.append({"id": f"n{place}", "type": kind, **({"from": names} if names else {}), **options})
    text = json.dumps({"name": "x", "activities": [nodes[place] for place in order]})
    chain = [node.id for node in read_workflow(text).nodes]
    assert sorted(chain) == sorted(f"n{place}" for place in range(count))
    follows = {node["id"]: set(node.get("from", [])) for node in nodes}
    for place, activity in enumerate(chain):
        assert follows[activity] <= set(chain[:place])

    def reach(activity: str) -> set[str]:
        return {activity}.union(*(reach(other) for other, come in follows.items() if activity in come))

    assert below(read_workflow(text).nodes, "n0") == reach("n0")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("no", "no"), ("NO", "NO"), ("off", "off"), ("06:00", "06:00"), ("010", 10), ("true", True), ("1.5", 1.5)],
)
def test_plain_values_are_what_they_look_like(written: str, meant: object) -> None:
    assert Document(f"value: {written}", "x").values == {"value": meant}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 20_000, (1, 41)),
        ("- " * 20_000, (1, 81)),
        ("\n".join(" " * deep + "a:" for deep in range(500)), (41, 41)),
        ("name: x\nlist: " + "{a: " * 60_000, (2, 163)),
    ],
)
def test_what_is_nested_deep_is_refused_before_it_is_built(monkeypatch, text: str, place: tuple[int, int]) -> None:
    monkeypatch.setattr(yaml.composer.Composer, "compose_node", lambda *_: pytest.fail("built"))
    (found,) = faults(text).values()
    assert "nested deeper than 40 levels" in found[0]
    assert found[1:] == place


def test_a_document_has_at_most_256_kilobytes() -> None:
    fits = GOOD + "#" * (256_000 - len(GOOD))
    assert read_workflow(fits).name == "monthly"
    assert "larger than 256,000 bytes" in faults(fits + "#")["$"][0]


def test_a_character_that_has_no_place_is_told_with_its_place() -> None:
    assert faults("name: x\nactivities: \x07")["$"][1:] == (2, 13)
