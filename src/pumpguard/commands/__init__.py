"""The commands."""

import typer

from pumpguard.commands.console import console
from pumpguard.commands.exposure import exposure
from pumpguard.commands.overrides import lists, posture

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(exposure)
app.command()(posture)
app.command()(console)
app.add_typer(lists, name="lists")


@app.callback()
def about() -> None:
    """Stops SMS pumping before the message is paid for."""


__all__ = ["app"]
