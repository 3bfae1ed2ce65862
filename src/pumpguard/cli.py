"""The command ``pumpguard``: what can be asked of a policy, and ordered at run time."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command; what they need comes with the extra ``cli``."""
    try:
        from pumpguard.commands import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print(
            f"pumpguard: the command line needs {error.name}, from the extra 'cli': "
            "pip install 'pumpguard[cli]'",
            file=sys.stderr,
        )
        sys.exit(1)
    app()


if __name__ == "__main__":
    main()
