"""All commands, by name. A module is imported when its command is asked for, so that `--help` costs nothing."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from symbolon.cli.session import Given, ProjectOption, QuietOption
from symbolon.cli.values import use_plain_values

#: command -> (module, what `symbolon --help` says); a module has `app`
COMMANDS = {
    "demo": ("symbolon.cli.demo", "Make a project with synthetic people and files, and import them."),
    "init": ("symbolon.cli.init", "Make a project in a folder."),
    "profiles": ("symbolon.cli.profiles", "The people: import, link, show, export."),
    "source": ("symbolon.cli.source", "Data sources: what the IDs of a delivery are, and how they are protected."),
    "audience": ("symbolon.cli.audience", "Audiences: import, look at, compare, roll back."),
    "share": ("symbolon.cli.share", "What other solutions have from here: list, give up a delivery that cannot end."),
    "transport": ("symbolon.cli.transport", "Where files come from and go to: folders, S3, SFTP; try them out."),
    "sender": ("symbolon.cli.sender", "What messages are sent by: folders, mail servers; try them out."),
    "workflow": ("symbolon.cli.workflow", "Targeting workflows: check, plan, run, look at."),
    "condition": ("symbolon.cli.condition", "Conditions: check one; text and tree of rules into each other."),
    "run": ("symbolon.cli.run", "Runs of workflows: list, show, confirm, resume, pause, cancel."),
    "feed": ("symbolon.cli.feed", "Files that are imported as they arrive."),
    "activation": ("symbolon.cli.activation", "Audiences that are shared by themselves when they change."),
    "worker": ("symbolon.cli.worker", "Do by itself what is due: feeds, activations, schedules, runs."),
    "serve": ("symbolon.cli.serve", "A worker that answers /health and /metrics."),
    "file": ("symbolon.cli.file", "Look at a file before it is used."),
    "id": ("symbolon.cli.id", "Ask why an ID matches, or does not, and how a value is normalised."),
    "scheme": ("symbolon.cli.scheme", "How parties write values before they hash them, and whether a partner does."),
    "upgrade": ("symbolon.cli.upgrade", "Bring a project up to this release."),
    "doctor": ("symbolon.cli.doctor", "Check the project and the installation."),
}
_HELP = """Import audiences that others share, and reconcile them with your profiles.

\b
  $ symbolon demo                                          # see it work, on synthetic data
  $ symbolon audience import FILE --source NAME --plan     # what would happen, nothing written
"""


class LazyGroup(TyperGroup):
    """The root: knows the names of its commands, and imports the one that is wanted."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Give the names, in the order in which they are needed."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the command that is wanted."""
        return _loaded(cmd_name) if cmd_name in COMMANDS else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@cache
def _loaded(name: str) -> Any:
    module, text = COMMANDS[name]
    loaded = use_plain_values(get_command(import_module(module).app))
    loaded.name = name
    loaded.help = loaded.help or text
    return loaded


def _version(wanted: bool) -> None:
    if wanted:
        from symbolon import __version__  # noqa: PLC0415

        typer.echo(f"symbolon {__version__}")
        raise typer.Exit


def _callback(
    context: typer.Context,
    project: ProjectOption = None,
    quiet: QuietOption = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,  # noqa: ARG001
) -> None:
    context.obj = Given(project, quiet)


@cache
def root() -> Any:
    """Give the whole command, ready to run."""
    app = typer.Typer(
        cls=LazyGroup, rich_markup_mode=None, add_completion=False, no_args_is_help=True, help=_HELP, callback=_callback
    )
    return use_plain_values(get_command(app))
