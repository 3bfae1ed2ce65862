"""``pumpguard init``: a first policy that says why, and what it would have done."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pumpguard import Guard, Policy
from pumpguard.challenges import Altcha
from pumpguard.cli import app

START = 1_777_800_000
"""2026-05-03 09:20 UTC."""


def run(*words: str | Path, typed: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app(), ["init", *map(str, words)], input=typed)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A shop's log with prices: 60 Britons and 20 Irish people, one after the other."""
    path = tmp_path / "log.csv"
    rows = ["sent_at,phone,ip,used_at,price"]
    for i in range(80):
        at = START + i * 600
        number = f"+4474{i:02}{i * 7919 % 10**6:06}" if i % 4 else f"+35385{i * 7919 % 10**7:07}"
        rows.append(f"{at},{number},81.2.{i}.142,{at + 30},{0.05 if i % 4 else 0.09}")
    path.write_text("\n".join(rows))
    return path


def test_a_log_becomes_a_policy_that_says_why(log: Path, tmp_path: Path) -> None:
    """Homes and prices are the log's, the budget is twice the busiest day's, rounded up."""
    out = tmp_path / "policy.toml"
    code, told, _ = run(log, "--out", out, "--send", "/login/sms", "--verify", "/login/code")
    assert code == 0
    policy = Policy.from_toml(out)
    assert (policy.send, policy.verify) == ("/login/sms", "/login/code")
    assert list(policy.home) == ["GB", "IE"]
    assert policy.price_overrides == {"GB": 0.05, "IE": 0.09}
    assert policy.daily_budget == 9.6  # of $4.80 (20 × $0.09 and 60 × $0.05) on one day
    text = out.read_text()
    for block in text.rstrip("\n").split("\n\n"):
        assert block.startswith("# ")
    assert "GB 75%, IE 25%" in text
    assert "Of 80 customers who entered a code 0 would have got none" in told
    assert "An attacker can make this policy spend at most $" in told


def test_the_lines_for_the_app_are_code_that_runs(log: Path, tmp_path: Path) -> None:
    """The policy has a secret of its own, which only its owner may read and nobody is shown."""
    out = tmp_path / "policy.toml"
    _, told, _ = run(log, "--out", out)
    policy = Policy.from_toml(out)
    assert Guard(policy, "memory://", challenge=Altcha(policy)).policy is policy
    assert policy.secret not in told
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    compile(told.partition("In the app:\n\n")[2], "app.py", "exec")


def test_the_command_for_the_whole_report_can_be_pasted(log: Path, tmp_path: Path) -> None:
    """With the files, the policy and the columns of this very run, whatever their names."""
    other, out = tmp_path / "last year.csv", tmp_path / "my policy.toml"
    other.write_text(log.read_text().replace("used_at", "redeemed").replace("sent_at", "lokal"))
    words = ["--time", "lokal", "--verified", "redeemed", "--zone", "Europe/Berlin"]
    _, told, _ = run(other, "--out", out, *words)
    line = told.partition("The whole report:\n\n")[2].partition("\n")[0]
    program, *typed = shlex.split(line)
    assert program == "pumpguard"
    result = CliRunner().invoke(app(), typed)
    assert (result.exit_code, typed[:2]) == (0, ["replay", str(other)])
    assert "80 messages and " in result.stdout


def test_what_an_option_said_is_not_to_be_changed(log: Path, tmp_path: Path) -> None:
    """What no option said is."""
    out = tmp_path / "policy.toml"
    run(log, "--out", out, "--send", "/login/sms", "--proxies", "10.0.0.0/8")
    text = out.read_text()
    assert "# The route that sends a code. As you said.\n" in text
    assert "X-Forwarded-For is believed. As you said.\n" in text
    assert "codes are entered. No log says it: change it to yours.\n" in text
    assert text.count("No log says it") == 1


def test_what_was_read_and_what_could_not_be_is_said(log: Path, tmp_path: Path) -> None:
    """Which column was taken for what, and the lines that were left out."""
    log.write_text(f"{log.read_text()}\nsoon,+447400000000,,,\n")
    _, told, _ = run(log, "--out", tmp_path / "policy.toml")
    assert "log.csv was read as a file: time = sent_at, phone = phone" in told
    assert "log.csv: 1 row: a time that cannot be read (line 82)." in told


def test_a_policy_that_is_there_stays(log: Path, tmp_path: Path) -> None:
    """Unless it is said."""
    out = tmp_path / "policy.toml"
    out.write_text("mine")
    code, _, said = run(log, "--out", out)
    assert (code, out.read_text()) == (1, "mine")
    assert "is there already" in said
    assert run(log, "--out", out, "--force")[0] == 0


def test_without_a_log_there_are_five_questions(tmp_path: Path) -> None:
    """Of which some have an answer."""
    out = tmp_path / "policy.toml"
    code, told, _ = run("--out", out, typed="\n/enter\nde, at\n40\n10.0.0.0/8\n")
    assert code == 0
    policy = Policy.from_toml(out)
    assert (policy.send, policy.verify) == ("/otp/send", "/enter")
    assert (list(policy.home), policy.daily_budget) == (["DE", "AT"], 80)
    assert list(policy.proxies) == ["10.0.0.0/8"]
    assert "at most" in told


def test_an_answer_that_makes_no_sense_is_asked_for_again(tmp_path: Path) -> None:
    """And the ones before it stand."""
    out = tmp_path / "policy.toml"
    typed = "login\n/login\n\nUtopia\nGermany\nde\nmuch\n-4\n$40\n10.0.0.0/99\n10.0.0.0/8\n"
    code, said, _ = run("--out", out, typed=typed)
    assert code == 0
    assert "home.0: expected an ISO 3166 region such as 'GB', got 'UTOPIA'" in said
    assert "expected USD such as 40, got 'much'" in said
    policy = Policy.from_toml(out)
    assert (policy.send, list(policy.home), policy.daily_budget) == ("/login", ["DE"], 80)
    assert list(policy.proxies) == ["10.0.0.0/8"]


def test_questions_that_nobody_answers_write_nothing(tmp_path: Path) -> None:
    out = tmp_path / "policy.toml"
    assert run("--out", out, typed="\n\nUtopia\n")[0] == 1
    assert not out.exists()


def test_an_access_log_has_no_numbers_to_make_a_policy_of(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text('5.10.0.1 - - [04/May/2026:00:00:00 +0000] "POST /s HTTP/1.1" 202 1\n')
    code, _, err = run(path, "--out", tmp_path / "policy.toml")
    assert code == 1
    assert "only replay reads it" in err.replace("\n", " ")


def test_what_was_said_is_not_asked_for(tmp_path: Path) -> None:
    """Proxies may be named at once."""
    out = tmp_path / "policy.toml"
    code, told, _ = run("--out", out, "--proxies", "10.0.0.0/8", typed="\n\nDE\n40\n")
    assert code == 0
    assert "5." not in told
    assert list(Policy.from_toml(out).proxies) == ["10.0.0.0/8"]


def test_a_log_without_verifications_says_nothing_of_customers(log: Path, tmp_path: Path) -> None:
    """Nobody knows who of them was one."""
    rows = [line.split(",") for line in log.read_text().splitlines()]
    log.write_text("\n".join(",".join([*row[:3], row[4]]) for row in rows))
    _, told, _ = run(log, "--out", tmp_path / "policy.toml")
    assert "it would have spent $" in told
    assert "whether attacks are in it cannot be told without the codes" in told
    assert "customers" not in told


def test_numbers_without_a_calling_code_are_of_the_region_that_was_said(
    log: Path, tmp_path: Path
) -> None:
    """In the log and in the policy that it becomes."""
    log.write_text(log.read_text().replace("+4474", "074"))
    out = tmp_path / "policy.toml"
    assert run(log, "--out", out, "--region", "GB")[0] == 0
    policy = Policy.from_toml(out)
    assert (policy.region, list(policy.home)) == ("GB", ["GB", "IE"])
