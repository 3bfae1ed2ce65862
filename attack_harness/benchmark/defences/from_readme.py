"""The guard that README's first lines make: read there, and run as they stand."""

from __future__ import annotations

import re
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[3] / "README.md"
FIRST_BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


class App:
    """A fresh app, as far as the lines need one: it keeps what it is given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def add_middleware(self, middleware: type[object], **given: Any) -> None:
        """As Starlette has it."""
        self.given = {"middleware": middleware, **given}


def first_lines(page: str) -> str:
    """The first block of Python on a page. Raises `ValueError` if there is none."""
    found = FIRST_BLOCK.search(page)
    if found is None:
        raise ValueError("expected a block of Python")
    return found[1]


@cache
def given() -> dict[str, Any]:
    """What a fresh app's ``add_middleware`` is given by README's first lines, all by name."""
    app = App()

    async def send_sms(phone: str, text: str) -> None:
        """What the app has for sending; these lines send nothing."""

    lines = compile(first_lines(README.read_text("utf-8")), str(README), "exec")
    exec(lines, {"app": app, "send_sms": send_sms})  # noqa: S102  # our own page
    return app.given


def mark() -> str:
    """Tells these lines from others."""
    lines = first_lines(README.read_text("utf-8"))
    return blake2b(lines.encode(), digest_size=4).hexdigest()
