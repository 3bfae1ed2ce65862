"""The table of `docs/wrong-setups.md`. ``python -m tests.docs.wrong.page`` writes it anew."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from tests.docs.wrong.processes import PROCESSES
from tests.docs.wrong.requests import ASKED
from tests.docs.wrong.rules import RULES
from tests.docs.wrong.settings import REFUSED
from tests.docs.wrong.settled import SETTLED
from tests.docs.wrong.stage import Said, WrongSetup, play

PAGE = Path(__file__).parents[3] / "docs" / "wrong-setups.md"
START = "<!-- played -->\n"
LONGEST = 150
HEAD = "| set-up | what is said | where; answers | after |\n| --- | --- | --- | --- |\n"

SETUPS: list[WrongSetup] = [*REFUSED, *ASKED, *SETTLED, *PROCESSES, *RULES]

CHANGING = re.compile(
    r"127\.0\.0\.1'?[:,] ?\d+|unix://\S+|wrong-[0-9a-f]{12}|/tmp/[^\s:]+| at 0x[0-9a-f]+"
    r"|got 1\d{12}\S*|got (?=Redis\(|<redis)\S.*"
)
"""What is another word every time, or in every version of another package."""


def row(setup: WrongSetup, said: Said) -> str:
    """One line of the table."""
    what = CHANGING.sub("…", " ".join(said.what.split()))
    if len(what) > LONGEST:
        what = what[:LONGEST].rsplit(" ", 1)[0] + " …"
    code = f"`{said.code}` " if said.code.startswith("PG") else ""
    answers = f"; {said.answers}" if said.answers else ""
    cells = (setup.setup, code + what.replace("<", "&lt;"), said.where + answers, str(said.after))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def table(rows: Mapping[str, list[str]]) -> str:
    """All lines, by group."""
    parts = [
        f"\n## {group.capitalize()}\n\n{HEAD}{''.join(lines)}" for group, lines in rows.items()
    ]
    return START + "".join(parts)


async def main() -> None:
    """Play all of them, and write what they said."""
    rows: dict[str, list[str]] = {}
    for setup in SETUPS:
        rows.setdefault(setup.group, []).append(row(setup, await play(setup)))
    text = PAGE.read_text("utf-8").partition(START)[0]
    PAGE.write_text(text + table(rows), "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
