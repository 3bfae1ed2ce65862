"""``pumpguard top``, ``bans``, ``rules`` and ``explain``, as an operator types them."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pumpguard import Guard
from pumpguard.ops.fleet import Fleet
from pumpguard.testing import SimulatedHuman
from tests.commands.test_overrides import IN_FRONT, Operator

PHONE, ADDRESS = "+8801712345678", "81.2.69.142"

POLICY = """
send = "/s"
name = "{name}"
secret = "sixteen letters!"
region = "GB"
deadline = 10

[rules.strike_ban]
action = "block"
"""


@pytest.fixture
def policy(tmp_path: Path, name: str) -> Path:
    """A policy's file."""
    path = tmp_path / "policy.toml"
    path.write_text(POLICY.format(name=name))
    return path


@pytest.fixture
def operator(policy: Path, valkey_url: str) -> Operator:
    """At the command line, after an attack."""

    async def attack() -> None:
        async with Guard(policy, valkey_url, challenge=SimulatedHuman()) as guard:
            Fleet(guard)
            for n in range(60):
                await guard.assess(guard.attempt(f"+88017123456{n:02}", ADDRESS))

    asyncio.run(attack())
    return Operator(policy, valkey_url)


def test_top_shows_who_speaks_and_what_is_under_attack(operator: Operator) -> None:
    code, out, err = operator.types("top", "--once")
    assert (code, err) == (0, "")
    assert "1 process reports" in out
    assert "asked for" in out
    assert "BD" in out
    assert "+8801712345" in out
    seen = json.loads(operator.types("top", "--json")[1])
    assert seen["hour"]["requests"] == 60
    assert seen["attack"]["places"][0]["country"] == "BD"


def test_bans_are_listed_searched_and_lifted(operator: Operator) -> None:
    code, out, _ = operator.types("bans")
    assert code == 0
    first = out.split()[0]
    assert "81.2.69.•" in out
    assert operator.types("bans", "--search", "nothing such")[1] == (
        "No ban that stands has these words.\n"
    )
    listed = json.loads(operator.types("bans", "--json")[1])
    code, out, _ = operator.types("bans", "lift", first, "--reason", "ours", "--author", "mike")
    assert code == 0
    assert out.startswith("Lifted: ")
    assert len(json.loads(operator.types("bans", "--json")[1])) == len(listed) - 1
    assert json.loads(operator.types("bans", "lift", first, "--json")[1]) == {"lifted": None}
    code, _, err = operator.types("bans", "lift", "none")
    assert (code, "ban: expected the id of a ban" in err) == (1, True)


def test_a_groups_options_stand_before_its_command_or_behind_it(
    operator: Operator, policy: Path, valkey_url: str
) -> None:
    """What stands behind counts, and what was typed before more than the environment."""
    where = ("--policy", str(policy), "--store", valkey_url)
    order = ("monitor", "burst_ban", "--for", "2h")
    nowhere = Operator(policy, "")
    nowhere.env = {}
    assert nowhere.types("rules", *where, *order)[0] == 0
    assert nowhere.types("rules", "enforce", "burst_ban", *where)[0] == 0
    first = operator.types("bans")[1].split()[0]
    assert nowhere.types("bans", "lift", first, *where)[1].startswith("Lifted: ")
    assert nowhere.types("rules", "--store", "redis://127.0.0.1:1", *order, *where)[0] == 0
    nowhere.env = {"PUMPGUARD_REDIS_URL": "redis://127.0.0.1:1"}
    assert nowhere.types("rules", *where, "enforce", "burst_ban")[0] == 0
    for words in (("rules",), ("bans", *where[2:]), ("rules", *where[2:], *order)):
        code, _, err = nowhere.types(*words)
        assert (code, "--policy" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("bans", "--json", "lift", "0-1"), "--json"),
        (("bans", "--search", "203.0.113", "lift", "0-1"), "--search"),
        (("rules", "--json", "monitor", "burst_ban"), "--json"),
        (("rules", "--no-challenge", "enforce", "burst_ban"), "--challenge"),
    ],
)
def test_an_option_that_a_command_would_not_hear_of_ends_it(
    operator: Operator, words: tuple[str, ...], option: str
) -> None:
    """Rather than an answer in another form than was asked for."""
    code, out, err = operator.types(*words)
    assert (code, out) == (2, "")
    assert option in err
    assert f"'{words[-2]}' takes its own behind it" in err


def test_explain_says_what_would_happen_and_why(operator: Operator) -> None:
    """And the same when it is asked again: nothing is charged."""
    said = operator.types("explain", PHONE, "--ip", ADDRESS)
    assert said == operator.types("explain", PHONE, "--ip", ADDRESS)
    code, out, err = said
    assert (code, err) == (0, "")
    assert "(BD) for 81.2.69.•" in out.splitlines()[0]
    assert ": would be asked for proof" in out.splitlines()[0]
    assert "  (if the app has a challenge=" in out
    assert "has a challenge=" not in operator.types("explain", PHONE, "--no-challenge")[1]
    assert "to lift: pumpguard bans lift 0-" in out
    assert PHONE not in out
    told = json.loads(operator.types("explain", PHONE, "--ip", ADDRESS, "--json")[1])
    assert told["action"] != "allow"
    assert told["bans"]
    code, _, err = operator.types("explain", "nobody")
    assert (code, "telephone number" in err) == (1, True)


def test_rules_that_ask_only_record_where_nobody_can_be_asked(operator: Operator) -> None:
    """As the console inside such an app has it."""
    assert "geo_mismatch: enforce" in operator.types("rules")[1]
    assert "geo_mismatch: monitor" in operator.types("rules", "--no-challenge")[1]


def test_rules_are_shown_and_one_is_put_into_monitor(operator: Operator) -> None:
    words = ("rules", "monitor", "burst_ban", "--for", "2h", "--reason", "a school")
    code, out, err = operator.types(*words)
    assert (code, err) == (0, "")
    assert "only monitors for 2h" in out
    rules = {each["name"]: each for each in json.loads(operator.types("rules", "--json")[1])}
    assert rules["burst_ban"]["mode"] == "monitor"
    shown = operator.types("rules")[1]
    assert "burst_ban: monitor until" in shown
    assert ": a school; refused" in shown
    again = json.loads(operator.types("rules", "monitor", "burst_ban", "--for", "1h", "--json")[1])
    assert [each["mode"] for each in again if each["name"] == "burst_ban"] == ["monitor"]
    assert operator.types("rules", "enforce", "burst_ban")[0] == 0
    assert operator.types("rules", "enforce", "burst_ban")[0] == 1
    code, _, err = operator.types("rules", "monitor", "burst_ban")
    assert (code, err.strip()) == (1, "--for: expected an end, such as 2h")
    assert operator.types("rules", "monitor", "none", "--for", "2h")[0] == 1


def test_a_store_that_is_away_ends_with_3(policy: Path) -> None:
    away = Operator(policy, "redis://127.0.0.1:9")
    for words in (("top", "--once"), ("bans",), ("rules",), ("explain", PHONE)):
        code, _, err = away.types(*words)
        assert (code, "the store did not answer" in err) == (3, True)


def test_where_nobody_speaks_it_is_said(policy: Path, valkey_url: str) -> None:
    """And nothing is refused."""
    code, out, _ = Operator(policy, valkey_url).types("top", "--once")
    assert code == 0
    assert out.startswith("No process reports: is Fleet(guard), or a console, in the app?")
    assert "Nothing of note is refused now." in out


def test_top_goes_on_until_ctrl_c(operator: Operator) -> None:
    """The real command, at a terminal: what other processes decide is there with the next look."""
    terminal, end = pty.openpty()
    command = [sys.executable, "-c", IN_FRONT, "top", "--every", "1"]
    env = {**os.environ, **operator.env, "TERM": "xterm", "COLUMNS": "120", "LINES": "60"}
    with subprocess.Popen(command, env=env, stdout=end) as running:
        os.close(end)

        def shows(requests: int) -> None:
            seen = ""
            while not re.search(rf"hour\s+{requests} ", seen):
                seen += os.read(terminal, 65_536).decode(errors="replace")

        async def ask() -> None:
            policy, store = operator.env["PUMPGUARD_POLICY"], operator.env["PUMPGUARD_REDIS_URL"]
            async with Guard(policy, store) as guard:
                Fleet(guard)
                await guard.assess(guard.attempt("+447400123456", "81.2.70.1"))

        shows(60)
        asyncio.run(ask())
        shows(61)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    os.close(terminal)


def test_explain_says_who_is_on_a_list(operator: Operator) -> None:
    """Where that decides."""
    operator.types("lists", "deny", "number", PHONE, "--author", "mike")
    out = operator.types("explain", PHONE, "--ip", "81.2.70.1")[1]
    assert "  on the list: deny number +8801712345•••" in out
