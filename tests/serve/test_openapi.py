"""What the service says of itself is true: attacked by schemathesis over a real socket."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from pumpguard.serve import description
from pumpguard.serve.bodies import Attempted, Named, Settled, Verified
from tests.serve.running import TOKEN, Running

SCHEMAS = description()["components"]["schemas"]


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Whatever is sent: no 500, nothing without a token, what the document forbids is refused, and
    every status, type and body is one that it promises. That a text fits the schema does not make
    it a number or a ticket, so one check is left out."""
    with Running(tmp_path, "memory://") as service:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json"]
        options = ["-n", "25", "--seed", "1", "--exclude-checks", "positive_data_acceptance"]
        header = ["-H", f"Authorization: Bearer {TOKEN}"]
        attack = subprocess.run(
            [*command, *options, *header], capture_output=True, text=True, cwd=tmp_path
        )
    assert attack.returncode == 0, attack.stdout
    assert "8 selected / 8 total" in attack.stdout
    assert "PG101" not in "".join(service.said)


@pytest.mark.parametrize(
    ("cls", "schema"),
    [
        (Attempted, SCHEMAS["Attempt"]),
        (Verified, SCHEMAS["Verified"]),
        (Settled, SCHEMAS["Settled"]),
        (Named, SCHEMAS["Named"]),
    ],
)
def test_it_names_what_is_read(cls: type, schema: dict[str, object]) -> None:
    """No more and no less."""
    assert schema["properties"].keys() == {each.name for each in fields(cls)}  # type: ignore[attr-defined]
