"""Whatever can be set is named in the manual."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

from pumpguard.cli import app
from pumpguard.rules import RULE_CLASSES, Rule
from pumpguard.rules.declared import complete
from tests.docs.policy_page import COMMON

DOCS = Path(__file__).parents[2] / "docs"
MANUAL = "\n".join(page.read_text("utf-8") for page in sorted(DOCS.glob("*.md")))


def options(command: Any, path: str = "pumpguard") -> Iterator[str]:
    """All options of a command and of those below it."""
    for each in command.params:
        yield from (f"{path} {name}" for name in (*each.opts, *each.secondary_opts))
    for name, below in getattr(command, "commands", {}).items():
        yield from options(below, f"{path} {name}")


def test_every_option_of_every_command_is_in_the_manual() -> None:
    """Short ones beside their long one."""
    named = [each for each in options(typer.main.get_command(app())) if " --" in each]
    assert len(named) > 100
    spelt = {each: re.compile(rf"{each.rpartition(' ')[2]}(?![\w-])") for each in named}
    assert [each for each, found in spelt.items() if not found.search(MANUAL)] == []


@pytest.mark.parametrize("rule", RULE_CLASSES.values(), ids=RULE_CLASSES)
def test_a_rule_says_what_each_of_its_settings_does(rule: type[Rule]) -> None:
    """In its docstring, which is in the manual, or in one that it derives from."""
    said = " ".join(inspect.getdoc(each) or "" for each in rule.__mro__ if issubclass(each, Rule))
    complete(rule)
    own = [each.name for each in fields(rule) if each.init and each.name not in COMMON]
    assert [name for name in own if not re.search(rf"\b{name}\b", said)] == []
