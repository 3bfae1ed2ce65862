"""The page about writing a rule, done as a newcomer does it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "write-a-rule.md"
TRIAL = re.findall(r"`(Trial\(rule.*?\)|trial\.send\(.*?\))`", PAGE.read_text("utf-8"))
BLOCKS = re.findall(r"^```(python|toml)\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)

IN_PYTHON = """
names = [rule.name for rule in policy.chain]
assert names.index("night_rule") + 1 == names.index("number")
"""
IN_A_FILE = """
from pumpguard import Policy
(rule,) = (rule for rule in Policy.from_toml("policy.toml").chain if rule.name == "night_rule")
assert (type(rule).__name__, rule.limit, rule.action) == ("NightRule", 50, "challenge")
"""
OF_A_FUNCTION = """
from pumpguard.testing import make_attempt
assert policy.chain[-1].name == "no_roaming"
found = policy.chain[-1].judge(make_attempt("+447400123456", country="FR"), ())
assert str(found) == "no_roaming: ROAMING → block [client=FR, phone=GB]"
assert policy.chain[-1].judge(make_attempt("+447400123456", country="GB"), ()) is None
"""
OF_A_TENANT = """
import asyncio
from pumpguard.rules import RateLimit
from pumpguard.testing import Trial
rule, phone = RateLimit(name="tenants", by="tenant", limits="1/day"), "+447400123456"
trial = {}
async def main():
    assert [(await {}).allowed for _ in range(2)] == [True, False]
asyncio.run(main())
"""


def run(folder: Path, *arguments: str) -> None:
    """Python with these arguments in this folder; fails with what it said."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    """The rule, its test, both ways into a policy, a function, and a dimension of one's own."""
    (rule, test, policy, toml, function) = BLOCKS
    assert [language for language, _ in BLOCKS] == [*["python"] * 3, "toml", "python"]
    (tmp_path / "night.py").write_text(rule[1])
    (tmp_path / "test_night.py").write_text(test[1])
    (tmp_path / "policy.toml").write_text(toml[1])
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_night.py")
    run(tmp_path, "-c", policy[1] + IN_PYTHON)
    run(tmp_path, "-c", IN_A_FILE)
    run(tmp_path, "-c", function[1] + OF_A_FUNCTION)
    run(tmp_path, "-c", OF_A_TENANT.format(*TRIAL))
