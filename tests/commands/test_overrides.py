"""``pumpguard posture`` and ``pumpguard lists``, as an operator types them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner

from pumpguard import Decision, Guard, Policy
from pumpguard.cli import app
from pumpguard.overrides.posture import Escalation
from pumpguard.testing import make_attempt

Command = tuple[int, str, str]

IN_FRONT = """
import signal
from pumpguard.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The command as in a terminal: what a shell starts behind itself ignores Ctrl-C."""


@pytest.fixture
def policy(tmp_path: Path, name: str) -> Path:
    """A policy's file."""
    path = tmp_path / "policy.toml"
    path.write_text(
        f'send = "/s"\nname = "{name}"\nsecret = "sixteen letters!"\nregion = "GB"\ndeadline = 10\n'
    )
    return path


class Operator:
    """Types commands."""

    def __init__(self, policy: Path, store: str) -> None:
        self.env = {"PUMPGUARD_POLICY": str(policy), "PUMPGUARD_REDIS_URL": store}

    def types(self, *words: str) -> Command:
        result = CliRunner().invoke(app(), list(words), env=self.env)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def operator(policy: Path, valkey_url: str) -> Operator:
    return Operator(policy, valkey_url)


def test_without_an_order_it_is_normal(operator: Operator) -> None:
    """Nothing is written by looking."""
    assert operator.types("posture") == (0, "posture: normal\n", "")
    assert json.loads(operator.types("posture", "--json")[1])["version"] == 0


def test_who_when_why_and_until(operator: Operator) -> None:
    """Is asked for in words, and shown to the next who looks."""
    words = ("posture", "closed", "--for", "30m", "--then", "challenge_all")
    code, out, err = operator.types(*words, "--reason", "SMS bill", "--author", "mike")
    assert (code, err) == (0, "")
    assert out == operator.types("posture")[1]
    assert out.startswith("posture: closed, by mike at 20")
    assert " UTC, then challenge_all: SMS bill" in out
    said = json.loads(operator.types("posture", "--json")[1])
    assert said["posture"] == "closed"
    assert said["override"]["until"] - said["override"]["at"] == 1_800
    assert operator.types("posture", "normal", "--author", "mike")[1].startswith("posture: normal")


def test_what_has_ended_and_what_escalation_has_done_is_shown_as_such(
    operator: Operator, policy: Path, valkey_url: str
) -> None:
    """So that nobody looks for the person who has set it."""
    assert operator.types("posture", "closed", "--for", "1s", "--author", "mike")[0] == 0
    while operator.types("posture")[1].startswith("posture: closed"):
        pass
    out = operator.types("posture")[1]
    assert out.startswith("posture: normal, since closed by mike has ended at 20")

    async def escalated() -> None:
        async with Guard(Policy.from_toml(policy), valkey_url) as guard:
            await guard.overrides.escalate(Escalation(), "SEND_SPIKE")

    asyncio.run(escalated())
    out = operator.types("posture")[1]
    assert out.startswith("posture: challenge_all, by escalation after SEND_SPIKE at 20")
    assert out.endswith(" UTC, steps down when calm\n")


def test_a_country(operator: Operator) -> None:
    """Beside the fleet's."""
    out = operator.types("posture", "known_only", "--country", "gb", "--author", "mike")[1]
    assert out.splitlines()[0] == "posture: normal"
    assert out.splitlines()[1].startswith("GB: known_only, by mike")
    assert operator.types("posture", "normal", "--country", "GB")[1] == "posture: normal\n"


def test_the_author_is_whoever_is_at_the_machine(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it is said."""
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    assert "by anna at" in operator.types("posture", "challenge_all")[1]

    def nobody() -> str:
        raise KeyError("uid 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "by unknown at" in operator.types("posture", "closed")[1]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("observe", "nothing bounds what is spent"),
        ("challenge_all", "lets nobody through"),
        ("known_only", "it knows nobody"),
        ("closed", ""),
    ],
)
def test_it_warns_of_what_may_surprise(operator: Operator, to: str, said: str) -> None:
    """On standard error, when it is set and not when it is looked at."""
    code, _, err = operator.types("posture", to)
    assert code == 0
    assert said in err if said else not err
    assert operator.types("posture")[2] == ""


def test_lists(operator: Operator, policy: Path, valkey_url: str) -> None:
    """Allow, deny, show, remove; the app obeys."""
    for words in (
        ("allow", "number", "07400 123456", "--reason", "our monitor", "--for", "7d"),
        ("deny", "network", "203.0.113.0/24", "--author", "[b]mike"),
    ):
        assert operator.types("lists", *words)[0] == 0
    code, out, _ = operator.types("lists", "show")
    assert code == 0
    assert "+447400123•••" in out
    assert "our monitor" in out
    assert "[b]mike" in out

    async def app_decides() -> tuple[Decision, Decision]:
        async with Guard(Policy.from_toml(policy), valkey_url) as guard:
            allowed = await guard.assess(make_attempt("+447400123456"))
            return allowed, await guard.assess(make_attempt("+447400999999", "203.0.113.7"))

    allowed, denied = asyncio.run(app_decides())
    assert allowed.allowed_because == "listed"
    assert [finding.code for finding in denied.findings][:1] == ["LISTED"]
    assert operator.types("lists", "remove", "number", "+447400123456")[0] == 0
    said = json.loads(operator.types("lists", "show", "--json")[1])
    assert [each["shown"] for each in said["listings"]] == ["203.0.113.0/24"]
    assert operator.types("lists", "remove", "network", "203.0.113.0/24")[1] == (
        "Nobody is on a list.\n"
    )


def test_spending_freely_is_warned_of(operator: Operator) -> None:
    """The bound does not hold for them."""
    code, out, err = operator.types("lists", "allow", "country", "GB", "--spends-freely")
    assert code == 0
    assert "spends freely" in out
    assert "Budgets do not hold them" in err


def test_orders_that_cannot_be_read_do_not_keep_anybody_from_closing(
    operator: Operator, valkey_url: str, name: str
) -> None:
    """The version goes on growing, so every process learns of it."""
    operator.types("posture", "challenge_all")
    version = json.loads(operator.types("posture", "--json")[1])["version"]
    with Redis.from_url(valkey_url) as server:
        server.set(f"pg1:{{{name}}}:overrides:text", version.to_bytes(6) + b"{")
    code, _, err = operator.types("posture", "closed")
    assert code == 1
    assert "overrides: expected JSON" in err
    assert operator.types("posture", "closed", "--anew")[0] == 0
    said = json.loads(operator.types("posture", "--json")[1])
    assert said["posture"] == "closed"
    assert said["version"] > version


def test_exposure_knows_what_lifts_the_bound(operator: Operator, policy: Path) -> None:
    """When it is told where the orders are: exit code 2, and whose fault it is."""
    words = ("exposure", str(policy), "--store", operator.env["PUMPGUARD_REDIS_URL"])
    assert operator.types("lists", "allow", "country", "GB")[0] == 0
    code, out, _ = operator.types(*words)
    assert (code, "NOT BOUNDED" in out) == (0, False)
    freely = ("--spends-freely", "--author", "mike")
    operator.types("lists", "allow", "number", "07400 123456", *freely)
    code, out, _ = operator.types(*words)
    assert code == 2
    assert "number +447400123••• spends freely, set by mike." in out
    operator.types("posture", "observe")
    said = json.loads(operator.types(*words, "--json")[1])
    assert said["unbounded_because"][0] == "The posture is observe: nothing is enforced."
    assert said["bounded"] is True  # by its rules


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("posture", "shut"), "posture: expected one of observe, normal"),
        (("posture", "closed", "--for", "soon"), "for: expected a time such as 90s, 30m"),
        (("posture", "closed", "--country", "UK"), "country: expected an ISO 3166 region"),
        (("lists", "deny", "city", "Leeds"), "kind: expected one of number, prefix"),
        (("lists", "remove", "country", "GB"), "country: expected one that is listed"),
        (("posture", "--policy", "none.toml"), "none.toml: policy: expected a readable file"),
        (("posture", "--store", "memory://"), "store: expected one that several processes share"),
        (("posture", "--store", "http://x"), "store"),
    ],
)
def test_what_makes_no_sense_is_named_and_changes_nothing(
    operator: Operator, words: tuple[str, ...], said: str
) -> None:
    """Exit code 1, nothing on standard output."""
    code, out, err = operator.types(*words)
    assert (code, out) == (1, "")
    assert said in err
    assert json.loads(operator.types("posture", "--json")[1])["version"] == 0


def test_a_store_that_is_away_is_not_silent(operator: Operator, tmp_path: Path) -> None:
    """Exit code 3: whether it stands is unknown."""
    code, out, err = operator.types("posture", "closed", "--store", f"unix://{tmp_path}/none")
    assert (code, out) == (3, "")
    assert "may or may not be in force" in err
