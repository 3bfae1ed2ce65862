"""``pumpguard replay`` as an operator types it: a day of the harness, written as a log."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from attack_harness.recording import Message, record, write
from pumpguard import Attempt, Policy
from pumpguard.cli import app
from pumpguard.replay.compare import without_rule
from pumpguard.rules import RateLimit

POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB", "IE", "FR", "DE", "US"]
daily_budget = 200
"""

ONE_A_DAY = """
[rules.few]
rule = "rate_limit"
by = "network"
limits = "1/day"
"""


@pytest.fixture(scope="module")
def day() -> list[Message]:
    """200 people and an attack on many countries, without a guard."""
    return asyncio.run(record("seed_simulator", 3, 200))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, day: list[Message]) -> Path:
    path = tmp_path_factory.mktemp("day") / "log.csv"
    write(path, sorted(day))
    return path


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Any:
    """What the policy makes of the log."""
    path = tmp_path_factory.mktemp("usual") / "policy.toml"
    path.write_text(POLICY)
    return said(log, "--policy", path)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


def run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app(), ["replay", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def said(*words: str | Path) -> Any:
    code, out, err = run(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_report_says_what_it_cost_and_would_have(log: Path, policy: Path) -> None:
    code, out, _ = run(log, "--policy", policy, "--challenge")
    assert code == 0
    first, second, third, *_ = out.splitlines()
    assert "verifications, 2026-03-03 00:" in first
    assert second.startswith("Spent: $")
    assert ", saved $" in second
    assert "At the prices of appwrite-2026, 2026-05-19." in second
    assert "customers who entered a code" in third
    assert "1 attack episode found:\n  2026-03-03 " in out
    assert "Nobody reacts in a replay" in out


def test_the_same_in_json_and_as_a_page(log: Path, policy: Path, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    found = said(log, "--policy", policy, "--html", html)
    assert found["messages"] > 1_500
    assert found["usd"]["with"] < found["usd"]["without"] / 2
    assert found["customers"]["verified"] == sum(
        each["verified"] for each in found["customers_by_country"].values()
    )
    (episode,) = found["episodes"]
    assert episode["messages"] > 1_400
    assert episode["recognised_by"]
    page = html.read_text()
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "src=" not in page
    assert "http" not in page


def test_the_same_log_in_other_clothes_gives_the_same_decisions(
    log: Path, usual: Any, policy: Path, tmp_path: Path, day: list[Message]
) -> None:
    """Packed, as JSON lines, and as a provider's log beside a table of verifications."""
    packed, lines = tmp_path / "log.csv.gz", tmp_path / "log.jsonl"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    lines.write_text(
        "".join(
            json.dumps(
                {"timestamp": m.at, "phone": m.phone, "client": {"ip": m.address},
                 "verified_at": m.verified_at}
            ) + "\n"
            for m in sorted(day)
        )
    )  # fmt: skip
    for other in (
        said(packed, "--policy", policy),
        said(lines, "--ip", "client_ip", "--policy", policy),
    ):
        for part in ("usd", "by_rule", "customers", "episodes"):
            assert other[part] == usual[part]


def test_a_providers_log_and_a_table_of_ones_own_are_joined(
    policy: Path, tmp_path: Path, day: list[Message]
) -> None:
    """It has no addresses, and the report says which rules that blinds."""
    messages, codes = tmp_path / "twilio.csv", tmp_path / "codes.csv"
    head = "From,To,Status,SentDate,NumSegments,Sid,Direction,Price,PriceUnit\n"
    messages.write_text(
        head + "".join(f"+15005550006,{m.phone},delivered,{m.at},1,SM{n},outbound-api,-0.05,USD\n"
                       for n, m in enumerate(sorted(day)))
    )  # fmt: skip
    codes.write_text(
        "phone,verified_at\n"
        + "".join(f"{m.phone},{m.verified_at}\n" for m in day if m.verified_at is not None)
    )
    found = said(messages, codes, "--policy", policy)
    assert found["files"][0]["read_as"] == "Twilio's message log"
    assert found["usd"]["without"] == pytest.approx(0.05 * len(day))
    assert found["customers"]["verified"] > 100
    assert any("every rule about addresses was blind" in note for note in found["notes"])


def test_two_policies_are_compared(
    log: Path, policy: Path, tmp_path: Path, day: list[Message]
) -> None:
    """Money, customers, and the messages that are decided otherwise, with both explanations."""
    other = tmp_path / "other.toml"
    other.write_text(POLICY.replace("200", "2"))
    found = said(log, "--policy", policy, "--compare", other)["compared"]
    assert found["usd"]["with"] <= 2
    assert found["changed"] > 100
    example = found["examples"][0]
    assert example["before"].startswith("allow")
    assert "BUDGET" in example["after"]
    write(tmp_path / "part.csv", sorted(day)[:500])
    code, out, _ = run(tmp_path / "part.csv", "--policy", policy, "--compare", other)
    assert code == 0
    assert "With the other policy: $" in out
    assert "  without budget: $" in out


def test_a_policy_in_monitor_is_played_as_if_enforced(
    log: Path, usual: Any, policy: Path, access_log: Path, tmp_path: Path
) -> None:
    """That is what one wants to know before enforcing it; every form of the report says so."""
    other, html = tmp_path / "monitor.toml", tmp_path / "report.html"
    other.write_text(f'mode = "monitor"\n{POLICY}')
    found = said(log, "--policy", other, "--html", html)
    note = "The policy's mode is monitor, in which nothing is refused, but it was played as if"
    assert found["notes"].pop(0).startswith(note)
    assert found == usual
    assert note in unescape(html.read_text())
    assert note in run(access_log, "--policy", other)[1]
    compared = said(log, "--policy", policy, "--compare", other)
    assert compared["notes"][-1].startswith("The other policy's mode is monitor")
    assert compared["compared"]["changed"] == 0


def test_rules_that_only_monitor_are_named(log: Path, policy: Path) -> None:
    """They refuse nothing in a replay either."""
    policy.write_text(f'{POLICY}[rules.credit]\nmode = "monitor"\n')
    found = said(log, "--policy", policy)
    assert "The policy only records what these rules find: credit." in found["notes"]
    assert "credit" not in found["by_rule"]


def test_each_rule_is_left_out_once(log: Path, policy: Path) -> None:
    """What the policy would have come to without it: the one that the attack met cost it least."""
    found = said(log, "--policy", policy, "--compare", policy)["compared"]
    assert set(found["without"]) == set(found["by_rule"])
    assert found["changed"] == 0
    left = {rule: less["usd"]["with"] for rule, less in found["without"].items()}
    assert max(left.values()) > found["usd"]["with"]


def test_what_cannot_be_left_out_is_not(policy: Path) -> None:
    """The risk score is no rule; of rules of one's own each can, also in a use of its own."""
    whole = Policy.from_toml(policy)
    assert without_rule(whole, "risk") is None
    less = without_rule(whole, "credit")
    assert less is not None
    assert {rule.name for rule in whole.chain} - {rule.name for rule in less.chain} == {"credit"}
    own = [RateLimit(name=name, by="phone", limits="1/day") for name in ("one", "two")]
    login = without_rule(Policy(send="/s", use="login", rules=own), "login.one")
    assert login is not None
    assert [rule.name for rule in login.chain] == ["login.two"]


def nobody_at_night(attempt: Attempt) -> bool:
    """A rule that is a plain function."""
    return attempt.at % 86_400 < 3_600


def test_a_rule_that_is_a_function_is_left_out_by_its_name() -> None:
    whole = Policy(
        send="/s", rules=[nobody_at_night, RateLimit(name="few", by="phone", limits="1/day")]
    )
    less = without_rule(whole, "nobody_at_night")
    assert less is not None
    assert [rule.name for rule in less.chain] == ["few"]


def test_what_cannot_be_read_is_shown_with_its_place(policy: Path, tmp_path: Path) -> None:
    """And the rest is reported."""
    path = tmp_path / "log.csv"
    good = "".join(f"2026-05-04T12:{n:02}:00Z,+4474001234{n:02},\n" for n in range(5))
    path.write_text("time,to,ip\n" + good + "1969-12-31 12:00,+447400123456,\nsoon,+44,\n")
    code, out, _ = run(path, "--policy", policy)
    assert code == 0
    assert out.startswith("5 messages and 0 verifications")
    assert "log.csv: 1 row: a time before 2000 or after 2100 (line 7)." in out
    assert "log.csv: 1 row: no telephone number (line 8)." in out
    assert "times without a zone, taken as UTC: 1" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a,b\n1,2\n", "looks like it (a, b)"),
        ("time,to\nsoon,+44\n", "a message that can be read"),
    ],
)
def test_a_file_that_is_no_log_ends_in_a_message(
    policy: Path, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    code, out, err = run(path, "--policy", policy)
    assert (code, out) == (1, "")
    assert message in " ".join(err.split())
    assert run(tmp_path / "nowhere", "--policy", policy)[0] == 1


@pytest.fixture
def access_log(tmp_path: Path, day: list[Message]) -> Path:
    """The same day as its web server saw it: requests to send, and those to enter a code."""
    path = tmp_path / "access.log"
    path.write_text("".join(combined(day)))
    return path


def combined(day: list[Message]) -> Iterator[str]:
    for each in sorted(day):
        for at, route in ((each.at, "send"), (each.verified_at, "verify")):
            if at is not None:
                when = datetime.fromtimestamp(at, UTC)
                yield (
                    f"{each.address} - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "
                    f'"POST /otp/{route} HTTP/1.1" 202 31 "-" "curl/8"\n'
                )


def test_an_access_log_plays_the_rules_about_addresses_and_says_which_were_blind(
    access_log: Path, policy: Path, day: list[Message]
) -> None:
    """Refused are exactly those whom these rules refuse; what they cost is not known."""
    policy.write_text(
        f'{POLICY}[rules.few]\nrule = "rate_limit"\nby = "network"\nlimits = "1/day"\n'
    )
    found = said(access_log, "--policy", policy)
    addresses = {(each.address, int(each.at // 86_400)) for each in day}
    assert found["messages"] == len(day)
    assert found["usd"] is None
    assert found["by_rule"]["few"]["messages"] <= len(day) - len({a for a, _ in addresses})
    assert found["sent"]["with"] == len(day) - sum(r["messages"] for r in found["by_rule"].values())
    notes = " ".join(found["notes"])
    assert "only the rules about addresses were played (network, network_ceiling" in notes
    assert "Blind were: number, geo_mismatch, phone_limit" in notes
    assert "to enter a code, which say an address and no number: not used" in notes
    code, out, _ = run(access_log, "--policy", policy)
    assert code == 0
    assert "What they cost is not known; --price 0.05 says it." in out
    assert "$" not in out
    assert "episode found" not in out


def test_an_access_log_with_a_price_has_money_and_a_budget(
    access_log: Path, policy: Path, day: list[Message], tmp_path: Path
) -> None:
    html = tmp_path / "report.html"
    found = said(access_log, "--policy", policy, "--price", "0.5", "--html", html)
    assert found["usd"]["without"] == pytest.approx(len(day) * 0.5)
    assert found["by_rule"]["budget"]["messages"] > 0
    assert found["prices"] == "At $0.5 for each message, as you said."
    assert "<h2>Attack episodes" not in html.read_text()
    run(access_log, "--policy", policy, "--html", html)
    assert "messages sent" in html.read_text()


def test_two_policies_over_an_access_log_are_compared_in_messages(
    access_log: Path, policy: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(
        f'{POLICY}[rules.few]\nrule = "rate_limit"\nby = "network"\nlimits = "1/day"\n'
    )
    code, out, err = run(access_log, "--policy", policy, "--compare", other)
    assert code == 0, err
    assert " messages; 0 of 0 customers refused" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--route", "/login"], "--route names it: one of POST /otp/send?"),
        (["--route", "login"], "--route"),
        (["--price", "0"], "--price: expected a column, or USD above 0"),
    ],
)
def test_mistakes_about_routes_and_prices_are_named(
    access_log: Path, policy: Path, words: list[str], complaint: str
) -> None:
    code, _, err = run(access_log, "--policy", policy, *words)
    assert code == 1
    assert complaint in err.replace("\n", " ")


def test_an_access_log_is_joined_to_nothing(access_log: Path, log: Path, policy: Path) -> None:
    code, _, err = run(access_log, log, "--policy", policy)
    assert code == 1
    assert "access logs by themselves" in err


def test_a_hostile_file_is_reported_as_far_as_it_can_be_read(policy: Path, tmp_path: Path) -> None:
    """Each evil is one row with its place, and the rest is whole."""
    path = tmp_path / "log.csv"
    good = [b"2026-05-%02dT12:00:00Z,+4474001234%02d,Z\xc3\xbcrich\n" % (n, n) for n in (9, 4, 7)]
    evil = [
        b"2026-05-05T12:00:00Z,+447400123405,\0\n",
        b"2026-05-05T12:00:00Z," + b"," * 1_000_000 + b"\n",
        b"2026-05-05T12:00:00Z," + b"," * 2_000_000 + b"\n",
        b'2026-05-05T12:00:00Z,"+447400123405,\n',
        b"1969-12-31T23:59:59Z,+447400123405,\n",
        b"9" * 400 + b",+447400123405,\n",
        b"2026-05-06T12:00:00Z,+447400123406,Z\xfcrich\n",  # Latin-1: this one is read
    ]
    path.write_bytes(b"time,to,city\n" + b"".join([good[0], *evil, *good[1:]]))
    found = said(path, "--policy", policy)
    assert found["messages"] == 4
    assert found["from"] == "2026-05-04 12:00 UTC"
    assert found["files"][0]["not_read"] == {
        "a NUL byte": 1,
        "1000002 values for 3 columns": 1,
        "longer than 1 MB": 1,
        "a quote that is never closed": 1,
        "a time before 2000 or after 2100": 1,
        "a time that cannot be read": 1,
        "not UTF-8, read as Latin-1 (the row counts)": 1,
    }
    lines = {each["line"] for each in found["files"][0]["examples"]}
    assert lines == {3, 4, 5, 6, 7, 8}


def test_times_out_of_order_by_days_change_nothing(
    policy: Path, tmp_path: Path, usual: Any, day: list[Message]
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    write(mixed / "log.csv", sorted(day, key=lambda each: (each.phone, -each.at)))
    assert said(mixed / "log.csv", "--policy", policy) == usual
