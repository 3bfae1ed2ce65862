"""Writes the table into the page: ``python -m tests.docs.wrong.page``."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path

from tests.docs.wrong.requests import ASKED
from tests.docs.wrong.settings import REFUSED
from tests.docs.wrong.stage import Said, WrongSetup, play

PAGE = Path(__file__).parents[3] / "docs" / "wrong-setups.md"
START, END = "<!-- played -->\n", "<!-- /played -->\n"
LONGEST = 150

SETUPS: list[WrongSetup] = [*REFUSED, *ASKED]
GROUPS = list(dict.fromkeys(setup.group for setup in SETUPS))

CHANGING = re.compile(r"127\.0\.0\.1:\d+|unix://\S+|wrong-[0-9a-f]{12}|/tmp/\S+| at 0x[0-9a-f]+")
"""What is another word every time."""


def row(setup: WrongSetup, said: Said) -> str:
    """One line of the table."""
    what = CHANGING.sub("…", " ".join(said.what.split()))
    what = what if len(what) <= LONGEST else what[:LONGEST].rsplit(" ", 1)[0] + " …"
    what = what.replace("|", r"\|")
    code = f"`{said.code}` " if said.code.startswith("PG") else ""
    answers = f"; {said.answers}" if said.answers else ""
    return f"| {setup.setup.replace('|', chr(92) + '|')} | {code}{what} | {said.where}{answers} | {said.after} |\n"


def table(played: dict[WrongSetup, Said]) -> str:
    """All lines, by group."""
    lines = [START]
    for group in GROUPS:
        lines += [f"\n## {group.capitalize()}\n\n"]
        lines += ["| set-up | what is said | where; answers | after |\n", "| --- | --- | --- | --- |\n"]
        lines += [row(setup, said) for setup, said in played.items() if setup.group == group]
    return "".join(lines) + "\n"


async def main() -> None:
    """Play all of them, and write what they said."""
    played = {}
    for setup in SETUPS:
        try:
            played[setup] = await play(setup)
        except Exception as e:
            print("!!", setup.group, setup.setup, repr(e)[:300])
            continue
        if played[setup].at_most>1 or played[setup].code != setup.says: print("??", setup.setup, played[setup])
    print(table(played))


if __name__ == "__main__":
    logging.getLogger("pumpguard").propagate = False
    asyncio.run(main())
