"""``pumpguard tail`` and ``pumpguard why``, as an operator types them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import pumpguard
from pumpguard import Action, Decision, Guard, Policy
from pumpguard.alerts import ALERTING
from pumpguard.ops.events import Events, File, Stream
from pumpguard.ops.events.words import WHY
from tests.commands.test_overrides import IN_FRONT, Operator, operator, policy

__all__ = ["operator", "policy"]

PHONES = ("+447400123456", "+33612345678")


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A file of events."""
    return tmp_path / "events.jsonl"


@pytest.fixture
def refused(operator: Operator, lines: Path) -> Decision:
    """Two numbers are sent a code, and each is refused the second one."""

    async def play() -> Decision:
        policy = Policy.from_toml(operator.env["PUMPGUARD_POLICY"])
        guard = Guard(policy, operator.env["PUMPGUARD_REDIS_URL"])
        Events(guard, Stream(guard), File(lines))
        for phone in (*PHONES, *PHONES):
            decision = await guard.assess(guard.attempt(phone, "81.2.69.142"))
        await guard.aclose()
        return decision

    return asyncio.run(play())


def test_the_last_events_in_lines(operator: Operator, refused: Decision, lines: Path) -> None:
    """The newest at the end; from the stream, or from a file."""
    code, out, err = operator.types("tail")
    assert (code, err) == (0, "")
    actions = [line.split()[1] for line in out.splitlines()]
    assert actions == ["allow", "allow", "throttle", "throttle"]
    assert f"throttle {refused.reference} +33612345••• (FR) for 81.2.69.0" in out
    assert operator.types("tail", "--file", str(lines)) == (code, out, err)
    for phone in PHONES:
        assert phone not in out


def test_filters(operator: Operator, refused: Decision) -> None:
    """By what happened, by the number's country, and by a rule."""
    assert len(operator.types("tail", "--action", "throttle")[1].splitlines()) == 2
    assert len(operator.types("tail", "--country", "fr")[1].splitlines()) == 2
    assert len(operator.types("tail", "--rule", "phone_limit", "-n", "1")[1].splitlines()) == 1
    assert operator.types("tail", "--rule", "no_such_rule") == (0, "", "")


def test_as_json(operator: Operator, refused: Decision) -> None:
    """Each event as it was written."""
    out = operator.types("tail", "--json", "--action", "throttle")[1]
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["event"]["reference"] == refused.reference


@pytest.mark.parametrize("heard", [str, str.lower, lambda text: text.replace("0", "o")])
def test_a_reference_is_explained(
    operator: Operator, refused: Decision, heard: Callable[[str], str]
) -> None:
    """In words, with the numbers behind them and what would have let it pass."""
    code, out, err = operator.types("why", heard(refused.reference))
    assert (code, err) == (0, "")
    assert out.startswith(f"{refused.reference}: throttle at 20")
    assert "number: +33612345••• (FR), not known to have verified before" in out
    assert "decided: phone_limit RATE_LIMIT: too many messages for this number [" in out
    assert "it passes in" in out
    assert f"pumpguard why {refused.reference} --lift" in out


def test_what_stands_in_the_way_is_lifted(operator: Operator, refused: Decision) -> None:
    """For that number alone, for an hour, though only its hash is known."""
    code, out, _ = operator.types("why", refused.reference.replace("-", ""), "--lift")
    assert code == 0
    assert out.endswith("lifted: this number is allowed for 1h\n")

    async def again() -> list[Action]:
        policy = Policy.from_toml(operator.env["PUMPGUARD_POLICY"])
        guard = Guard(policy, operator.env["PUMPGUARD_REDIS_URL"])
        decisions = [await guard.assess(guard.attempt(phone, "81.2.69.142")) for phone in PHONES]
        await guard.aclose()
        return [decision.action for decision in decisions]

    assert asyncio.run(again()) == [Action.THROTTLE, Action.ALLOW]
    listed = json.loads(operator.types("lists", "show", "--json")[1])["listings"]
    assert [each["reason"] for each in listed] == [f"reference {refused.reference}"]


def test_orders_of_the_command_line_are_events(operator: Operator, refused: Decision) -> None:
    """Beside those of the app's processes, where these write any."""
    words = ("lists", "deny", "prefix", "+44740012", "--for", "1d", "--author", "ann")
    assert operator.types(*words)[0] == 0
    code, out, _ = operator.types("tail", "--action", "deny")
    assert code == 0
    assert out.endswith("deny prefix +44740012 by ann\n")


def test_without_a_stream_an_order_begins_none(operator: Operator) -> None:
    """Nobody reads it."""
    assert operator.types("posture", "closed", "--for", "1m")[0] == 0
    assert operator.types("tail")[1] == ""


def test_what_is_no_reference_or_is_gone(operator: Operator) -> None:
    """Is said, and nothing is lifted."""
    code, out, err = operator.types("why", "nothing", "--lift")
    assert (code, out) == (1, "")
    assert "expected one such as 7Q3K-9XDM" in err
    code, _, err = operator.types("why", "7Q3K-9XDM", "--lift")
    assert code == 1
    assert "nobody writes events here" in " ".join(err.split())


def test_a_reference_among_others_that_is_gone(operator: Operator, refused: Decision) -> None:
    """Is said as such: there are events, and it is none of them."""
    assert refused.reference != "7Q3K-9XDM"
    code, _, err = operator.types("why", "7Q3K-9XDM", "--lift")
    assert code == 1
    assert "7Q3K-9XDM is too old, or mistyped" in " ".join(err.split())


def test_a_store_that_is_away_is_said(policy: Path) -> None:
    """With an exit code of its own."""
    assert Operator(policy, "redis://127.0.0.1:1/0").types("tail")[0] == 3


def test_every_code_that_refuses_has_words() -> None:
    """Of our own rules, postures and lists."""
    package = Path(pumpguard.__file__).parent
    files = [*package.glob("rules/*.py"), package / "risk.py", package / "overrides/lookup.py"]
    text = "".join(path.read_text("utf-8") for path in files)
    codes = set(re.findall('"([A-Z]+_[A-Z_]+)"', text)) - {*ALERTING, "RULE_CLASSES"}
    assert codes - WHY.keys() == set()


def test_the_whole_event_of_a_reference(operator: Operator, refused: Decision) -> None:
    """As it was written, for programs."""
    code, out, _ = operator.types("why", refused.reference, "--json")
    assert code == 0
    assert json.loads(out)["event"]["reference"] == refused.reference


def test_what_a_lift_does_not_lift_is_said(operator: Operator) -> None:
    """Closed is closed to those on the list too."""
    operator.types("posture", "closed", "--for", "1h")
    policy = Policy.from_toml(operator.env["PUMPGUARD_POLICY"])

    async def ask() -> Decision:
        async with Guard(policy, operator.env["PUMPGUARD_REDIS_URL"]) as guard:
            Events(guard, Stream(guard))
            return await guard.assess(guard.attempt(PHONES[0], "81.2.69.142"))

    code, out, _ = operator.types("why", asyncio.run(ask()).reference, "--lift")
    assert code == 0
    assert out.endswith("for 1h\nbut POSTURE_CLOSED is not lifted by that\n")


@pytest.mark.parametrize("json_wanted", [False, True])
def test_those_that_come_are_shown_until_ctrl_c(
    operator: Operator, refused: Decision, json_wanted: bool
) -> None:
    """The real command, and a process of the app that goes on."""
    command = [sys.executable, "-c", IN_FRONT, "tail", "-f", "-n", "1"]
    command += ["--action", "throttle", *(["--json"] if json_wanted else [])]
    over, policy = threading.Event(), Policy.from_toml(operator.env["PUMPGUARD_POLICY"])

    async def go_on() -> None:
        async with Guard(policy, operator.env["PUMPGUARD_REDIS_URL"]) as guard:
            Events(guard, Stream(guard))
            while not over.is_set():
                await guard.assess(guard.attempt(PHONES[1], "81.2.69.142"))
                await asyncio.sleep(0.02)

    env = {**os.environ, **operator.env}
    app = threading.Thread(target=asyncio.run, args=(go_on(),))
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline()]
        app.start()
        try:
            lines += [running.stdout.readline() for _ in range(2)]
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0
        finally:
            over.set()
            app.join()
            running.kill()
    assert refused.reference in lines[0]
    assert all("throttle" in line for line in lines)
    assert len(set(lines)) == 3
    assert all(line.startswith("{") is json_wanted for line in lines)
