"""Runs a workflow in a process that kills itself: `python crashing.py PROJECT PLACE ACTIVITY NAME`.

PLACE is `before` (the activity begins), `inside` (it has been done, nothing of that is noted), `published` (its
audience is published, the process does not know yet), `noted` (it is noted as done).
"""

from __future__ import annotations

import os
import signal
import sys

import workflow_shop

import symbolon
from symbolon.sharing.lists import ListSaver
from symbolon.targeting import Mode
from symbolon.targeting.running import Running
from symbolon.targeting.walking import Walk


def die(*_args: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def plant(place: str, activity: str) -> None:
    """Let the process die when it gets there."""
    visit, put, publish = Walk.visit, Running._put, ListSaver._publish

    def visiting(self, node, before):
        if place == "before" and self.mode is Mode.RUN and node.id == activity:
            die()
        visited = visit(self, node, before)
        if place == "inside" and self.mode is Mode.RUN and node.id == activity:
            die()
        return visited

    def putting(self, step, visited, counted=None):
        put(self, step, visited, counted)
        if place == "noted" and step.step == activity:
            die()

    def publishing(self, audience, request, *others):
        publish(self, audience, request, *others)
        if place == "published" and request.run_id.endswith(f"/{activity}"):
            die()

    Walk.visit, Running._put, ListSaver._publish = visiting, putting, publishing


if __name__ == "__main__":
    folder, place, activity, text = sys.argv[1:]
    with symbolon.open(folder) as project:
        workflow = project.workflows.read(getattr(workflow_shop, text))
        plant(place, activity)
        project.workflows.run(workflow)
