"""``pumpguard exposure``: what people and scripts see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pumpguard import Policy, cli
from pumpguard.cli import app

BOUNDED = """
send = "/otp/send"
home = ["GB"]
price_overrides = {GB = 0.05, BD = 0.5}

[rules.all_messages]
rule = "rate_limit"
by = "everything"
limits = "100/hour; 500/day"
"""


# A policy may have a budget to begin with; here it would hide what the other rules do.
UNBUDGETED = "".join(
    f'[rules.{rule.name}]\nmode = "off"\n'
    for rule in Policy(send="/s").chain
    if rule.name in ("budget", "credit", "conversion")
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy with a cap."""
    file = tmp_path / "policy.toml"
    file.write_text(BOUNDED + UNBUDGETED)
    return file


ALONE = "".join(
    f'[rules.{rule.name}]\nmode = "off"\n'
    for rule in Policy(send="/s").chain
    if rule.name not in ("budget", "credit", "conversion", "all_messages")
)


def run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app(), ["exposure", *map(str, words)], env={"COLUMNS": "120"})
    return result.exit_code, result.stdout, result.stderr


def test_the_total_comes_first(policy: Path) -> None:
    """Then the countries, then what each rule is worth."""
    code, out, _ = run(policy)
    assert code == 0
    assert out.startswith(
        "An attacker can make this policy spend at most $50.00 per hour, $250.00 per day."
    )
    # 400 messages to Bangladesh, where a rule of its own holds, and 100 to the next dearest.
    assert "Bound by all_messages." in out
    assert "any number of addresses and any number of numbers" in out
    assert "At the prices of appwrite-2026, 2026-05-19." in out
    country = next(line for line in out.splitlines() if line.split()[:1] == ["BD"])
    assert country.split() == ["BD", "$0.5000", "$50.00", "$200.00", "country_limit"]
    removed = next(line for line in out.splitlines() if line.split()[:1] == ["all_messages"])
    assert removed.split() == ["all_messages", "unbounded", "unbounded"]
    assert "While the store is away (on_store_failure = 'local', workers = 1)" in out


def test_who_enters_no_code_is_told_apart(policy: Path) -> None:
    """Where lines of credit hold them to less than everybody."""
    credit = '[rules.line]\nrule = "credit"\nlines = {everything = 1.0}\n'
    policy.write_text(f'verify = "/v"\n{BOUNDED}{UNBUDGETED}{credit}')
    code, out, _ = run(policy)
    assert code == 0
    assert "Who enters no code, where nobody else does: $" in out
    assert "Until the first verification is heard, anybody: $" in out


def test_no_bound_is_said_loudly(policy: Path) -> None:
    """With an exit code that a deployment can stop at."""
    policy.write_text('send = "/otp/send"\n' + UNBUDGETED)
    code, out, _ = run(policy)
    assert code == 2
    assert out.startswith("NOT BOUNDED")
    assert 'by = "everything"' in out
    assert "unbounded" in out
    code, out, _ = run(policy, "--networks", "50", "--numbers", "40")
    assert code == 0
    assert "50 addresses and 40 numbers" in out


def test_one_country(policy: Path) -> None:
    """Asked for by name, in any case."""
    code, out, _ = run(policy, "--country", "gb", "--country", "BD")
    assert code == 0
    rows = [line.split()[0] for line in out.splitlines() if "$0." in line]
    assert rows == ["GB", "BD"]
    code, _, err = run(policy, "--country", "ZZ")
    assert code == 1
    assert "country: expected an ISO region such as 'GB', got 'ZZ'" in err


def test_json_says_everything(policy: Path) -> None:
    """Every country, every rule; null where there is no bound."""
    code, out, _ = run(policy, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["bounded"] is True
    assert said["day"] == {"usd": 250.0, "rules": ["all_messages"]}
    assert said["countries"]["GB"]["hour"] == {"usd": 5.0, "rules": ["all_messages"]}
    assert len(said["countries"]) > 240
    assert said["without"]["all_messages"] == {"hour": None, "day": None}
    assert said["prices"]["date"] == "2026-05-19"


def test_a_bad_policy_is_named_exactly(policy: Path, tmp_path: Path) -> None:
    """On standard error, with the path into it."""
    policy.write_text(BOUNDED.replace("100/hour", "many"))
    code, out, err = run(policy)
    assert (code, out) == (1, "")
    assert "policy.toml: rules.all_messages.limits: expected limits such as" in err
    code, _, err = run(tmp_path / "none.toml")
    assert code == 1
    assert "none.toml: policy: expected a readable file" in err


def test_a_real_process(policy: Path) -> None:
    """As the console script starts it."""
    command = [sys.executable, "-m", "pumpguard.cli", "exposure", str(policy)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == 0
    assert "$50.00 per hour" in done.stdout
    assert done.stderr == ""


def test_a_rule_beside_the_policy_is_found(policy: Path) -> None:
    """The folder is on the path only while the policy is read."""
    rule = "from pumpguard import Rule\n\nclass Late(Rule):\n    def judge(self, *_): return None\n"
    policy.with_name("beside_the_policy.py").write_text(rule)
    late = '[rules.late]\nrule = "beside_the_policy:Late"\n'
    policy.write_text(policy.read_text() + late)
    before = list(sys.path)
    code, _, err = run(policy)
    assert (code, err) == (0, "")
    assert sys.path == before


def test_without_its_extra_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Instead of a traceback."""
    monkeypatch.setitem(sys.modules, "typer", None)
    for name in [name for name in sys.modules if name.startswith("pumpguard.commands")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "pip install 'pumpguard[cli]'" in capsys.readouterr().err


def test_a_broken_package_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own error is the better clue."""
    monkeypatch.setitem(sys.modules, "pumpguard.commands.top", None)
    with pytest.raises(ModuleNotFoundError, match=r"pumpguard\.commands\.top"):
        cli.main()


def test_where_every_rule_counts_none_is_idle(policy: Path) -> None:
    """With one rule alone there is none that changes nothing."""
    policy.write_text(BOUNDED + UNBUDGETED + ALONE)
    code, out, _ = run(policy)
    assert code == 0
    assert "No other rule changes the total by itself" not in out
