"""The frameworks and how each is served; and README's table of what was seen of them.

    python -m tests.frameworks.table    runs the suite and writes the table anew

A ● is a test that has passed. Each test of the suite fails if README does not show its ●.
"""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import pytest

ASGI = ("fastapi", "starlette", "litestar", "quart", "django_asgi", "blacksheep", "falcon", "sanic")

GUNICORN = ("-m", "gunicorn", "--bind", "fd://{fd}", "--preload", "--log-level", "warning")
"""The app is imported before the workers are forked."""

THREADS = ("--worker-class", "gthread", "--threads", "4")

SERVERS: dict[str, tuple[str, ...]] = {
    name: ("-m", "tests.frameworks.serve", "{fd}", name, "auto") for name in ASGI
} | {
    f"{name}, {workers}": (*GUNICORN, *options, f"tests.frameworks.apps.{name}:app")
    for name in ("flask", "django_wsgi")
    for workers, options in (("sync", ()), ("threads", THREADS))
}

COLUMNS = {
    "test_admit": "admit", "test_throttle": "throttle", "test_challenge": "challenge",
    "test_block": "block", "test_shadow": "shadow", "test_json_whole": "JSON",
    "test_forms": "forms", "test_streamed": "streamed", "test_path_parameter": "path",
    "test_mounted": "mounted", "test_app_raises": "app raises",
    "test_head_and_options": "HEAD, OPTIONS", "test_unreadable": "unreadable",
    "test_verified": "verify", "test_cors_behind": "CORS behind",
    "test_cors_in_front": "CORS in front",
}  # fmt: skip
"""What each test of the suite shows; the last two are shown by Chromium."""

NAMES = {
    "fastapi": ("FastAPI", "fastapi"), "starlette": ("Starlette", "starlette"),
    "litestar": ("Litestar", "litestar"), "quart": ("Quart", "quart"),
    "django_asgi": ("Django, ASGI", "django"), "blacksheep": ("BlackSheep", "blacksheep"),
    "falcon": ("Falcon", "falcon"), "sanic": ("Sanic", "sanic"),
    "flask, sync": ("Flask, sync workers", "flask"),
    "flask, threads": ("Flask, threads", "flask"),
    "django_wsgi, sync": ("Django, sync workers", "django"),
    "django_wsgi, threads": ("Django, threads", "django"),
}  # fmt: skip
"""What each is called, and its package."""

README = Path(__file__).parents[2] / "README.md"
START, END = "<!-- frameworks -->\n", "<!-- /frameworks -->"

SEEN, NOT_SEEN = "●", "–"

WRITING = "PUMPGUARD_WRITES_TABLE"
"""Set in the environment while the table is made."""


class Seen:
    """A plugin of pytest that notes what has passed, and what has not."""

    def __init__(self) -> None:
        self.failed: set[tuple[str, str]] = set()
        self.passed: set[tuple[str, str]] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test, _, parameters = report.nodeid.rpartition("::")[2].partition("[")
        framework = parameters.rstrip("]")
        for known in SERVERS:
            if framework == known or framework.startswith(f"{known}-"):
                if report.failed:
                    self.failed.add((test, known))
                elif report.when == "call":
                    self.passed.add((test, known))


def table(seen: set[tuple[str, str]]) -> str:
    """The table, with a ● for each of these."""
    lines = [f"| | {' | '.join(COLUMNS.values())} |", f"| --- |{' :-: |' * len(COLUMNS)}"]
    for framework, (name, package) in NAMES.items():
        cells = [SEEN if (test, framework) in seen else NOT_SEEN for test in COLUMNS]
        lines.append(f"| {name} {importlib.metadata.version(package)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def shown() -> str:
    """What README has."""
    return README.read_text("utf-8").partition(START)[2].partition(END)[0]


def is_shown(test: str, framework: str) -> bool:
    """Whether README has the ● of a test."""
    name = NAMES[framework][0]
    row = next((line for line in shown().splitlines() if line.startswith(f"| {name} ")), "")
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    column = list(COLUMNS).index(test)
    return len(cells) > column and cells[column] == SEEN


def main() -> None:
    """Run the suite, and write the table."""
    os.environ[WRITING] = "1"
    seen = Seen()
    tests = ("tests/frameworks/test_frameworks.py", "tests/browser/test_other_origin.py")
    pytest.main(["-q", *tests], plugins=[seen])
    head, _, rest = README.read_text("utf-8").partition(START)
    tail = rest.partition(END)[2]
    README.write_text(f"{head}{START}{table(seen.passed - seen.failed)}{END}{tail}", "utf-8")


if __name__ == "__main__":
    main()
