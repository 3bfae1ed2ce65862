"""The command ``pumpguard``: what a policy may cost, and how to override it at run time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Run a command. What they all need comes with the extra ``cli``."""
    try:
        run = app()
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print(
            f"pumpguard: the command line needs {error.name}, from the extra 'cli': "
            "pip install 'pumpguard[cli]'",
            file=sys.stderr,
        )
        sys.exit(1)
    run()


def app() -> typer.Typer:
    """All commands. Raises `ModuleNotFoundError` without the extra."""
    import typer

    from pumpguard import __version__
    from pumpguard.commands.bans import bans
    from pumpguard.commands.check import check
    from pumpguard.commands.console import console
    from pumpguard.commands.events import tail, why
    from pumpguard.commands.evidence import evidence
    from pumpguard.commands.expect import expect
    from pumpguard.commands.explain import explain
    from pumpguard.commands.exposure import exposure
    from pumpguard.commands.init import init
    from pumpguard.commands.overrides import lists, posture
    from pumpguard.commands.reconcile import reconcile
    from pumpguard.commands.replay import replay
    from pumpguard.commands.rules import rules
    from pumpguard.commands.serve import serve
    from pumpguard.commands.top import top

    commands = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Stops SMS pumping before the message is paid for.",
    )
    for command in (
        check, exposure, posture, expect, console, top, explain, tail, why, serve, replay, init,
        reconcile, evidence,
    ):  # fmt: skip
        commands.command()(command)
    commands.add_typer(lists, name="lists")
    commands.add_typer(bans, name="bans")
    commands.add_typer(rules, name="rules")

    def say(wanted: bool) -> None:
        if wanted:
            typer.echo(f"pumpguard {__version__}")
            raise typer.Exit

    said = typer.Option(False, "--version", callback=say, is_eager=True, help="Say the version.")

    @commands.callback()
    def pumpguard(version: bool = said) -> None: ...

    return commands


if __name__ == "__main__":
    main()
