"""The page of all settings is what the settings say of themselves."""

from __future__ import annotations

import pytest

from pumpguard import Guard, Policy
from tests.docs.policy_page import HEAD, PAGE, page


def test_the_page_is_what_the_command_writes() -> None:
    """If it is not: ``python -m tests.docs.policy_page``."""
    assert PAGE.read_text("utf-8") == page()


def test_its_examples_hold(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the head: Python, a file, several routes, a number in two parts."""
    monkeypatch.chdir(str(tmp_path))
    with open("policy.toml", "w", encoding="utf-8") as file:
        file.write('send = ["/sign-up", "POST /people/{phone}/code"]\nmode = "monitor"\n')
    code = HEAD.partition("```python\n")[2].partition("```")[0].replace("redis://…", "memory://")
    names: dict[str, object] = {}
    exec(code, names)
    assert isinstance(names["guard"], Guard)
    policy = names["policy"]
    assert isinstance(policy, Policy)
    assert policy.mode == "monitor"
    assert Policy(send="/a", phone="number", code="country_code", region="GB").code
