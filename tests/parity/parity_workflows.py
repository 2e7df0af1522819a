"""Workflows over hostile people, on both engines at once: every activity that computes, planned, run and looked at."""

from __future__ import annotations

from typing import Any

WORKFLOWS = (
    """\
name: sets
activities:
  - {id: some, type: query, where: "email IS NOT NULL", columns: {up: upper(email)}}
  - {id: few, type: query, from: some, where: "length(email) > 3"}
  - {id: linked, type: query, where: "EXISTS (SELECT 1 FROM links) OR external_id IS NULL"}
  - {id: either, type: union, from: [few, linked]}
  - {id: both, type: intersection, from: [either, some]}
  - {id: left, type: exclusion, from: [both, linked], complement: true}
  - {id: once, type: deduplication, from: both, by: [lower(email)], order: external_id}
  - {id: wide, type: enrichment, from: once, columns: {city: city}}
  - {id: parts, type: segmentation, from: once, segments: [{name: half, limit: 50%}, {name: rest}]}
  - {id: saved, type: save_audience, from: wide, audience: Wide}
  - {id: many, type: test, from: parts.half, branches: [{name: full, if: "count > 0"}]}
  - {id: alone, type: query, where: "external_id IS NOT NULL"}
  - {id: again, type: incremental_query, where: "email IS NOT NULL"}
  - {id: after, type: query, from: both, where: "external_id IS NOT NULL"}
  - {id: pause, type: wait, from: after, for: 1s}
  - {id: got, type: transfer_file, action: download, transport: place, file: "*.csv"}
""",
    """\
name: rows
activities:
  - {id: rows, type: load_file, file: rows.csv}
  - {id: kept, type: save_audience, from: rows, audience: As they came}
  - {id: found, type: reconciliation, from: rows, keys: [{column: email, field: email}], create_profiles: true}
  - {id: moved, type: update_data, from: found, operation: update, key: email, set: {city: "'Lyon'"}}
  - {id: written, type: extract_file, from: found, file: found.csv, columns: {email: email}}
""",
)
#: sent once: a second delivery asks for the same
MESSAGES = """\
name: messages
activities:
  - {id: all, type: query, where: "external_id IS NOT NULL", columns: {up: upper(email)}}
  - {id: came, type: read_audience, audience: As they came}
  - {id: letter, type: email_delivery, from: all, confirm: false, from_address: news@example.com,
     subject: "Hi {{ first_name }}", text: "{{ up }} {{ birth_date | date('%Y') }}", html: "<p>{{ tier }}</p>"}
  - {id: sms, type: sms_delivery, from: all, confirm: false, text: "{{ first_name or 'x' }} {{ do_not_share }}"}
"""


def run_all(project: Any) -> None:
    """Plan and run all of them twice, then look at what came."""
    rows = ["email", "fovea.f@example.com", "v@example.com", "NEW@example.com", "new2@example.com", "nonsense", ""]
    (project.settings.project / "inbox" / "rows.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (project.settings.project / "place").mkdir()
    (project.settings.project / "place" / "some.csv").write_text("a\n", encoding="utf-8")
    project.transports.add("place", "place/")
    for text in WORKFLOWS:
        workflow = project.workflows.read(text)
        project.workflows.plan(workflow)
        for _ in range(2):
            project.workflows.run(workflow)
    messages = project.workflows.read(MESSAGES)
    project.workflows.plan(messages)
    project.workflows.run(messages)
    sets = project.workflows.find("sets")
    project.workflows.preview_count(sets, "either")
    project.workflows.preview(
        sets, "wide", read=lambda population: project.audiences.library.shown(population, None).to_arrow()
    )
