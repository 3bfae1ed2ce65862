"""What an event says, and that it says nothing about a person."""

from __future__ import annotations

import json
import re
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Decision, Finding, Policy
from pumpguard.alerts import Alert
from pumpguard.attempt import Attempt
from pumpguard.listeners import Became, Change, Exchange, Recorded
from pumpguard.masking import Block
from pumpguard.ops.events.decisions import Addresses, Numbers, hashed_address, masked_address
from pumpguard.ops.events.fields import EventMaker, policy_version
from pumpguard.ops.events.sinks import flat
from pumpguard.ops.events.words import explained
from pumpguard.overrides.lists import keyed_hash
from pumpguard.testing import make_attempt
from tests.ops.console.test_nothing_personal import ADDRESSES, Talkative, numbers

SECRET = "a well kept secret"
POLICY = Policy(send="/otp/send", secret=SECRET, name="shop")
MAKER = EventMaker(POLICY)
EXCHANGE = Exchange("POST", "/otp/send", "https", 403)
SURGE = Finding(
    "prefix_pattern", Action.BLOCK, "PREFIX_SURGE", {"used": 3, "prefix": Block("+44740012")},
    30.0, 2.0, Block("+44740012"),
)  # fmt: skip


def event_of(told: Any, addresses: Addresses = "masked", numbers: Numbers = "hashed") -> Any:
    """An event, read back from its line."""
    return json.loads(EventMaker(POLICY, addresses, numbers).line(told))


def refused(attempt: Attempt | None = None, **facts: Any) -> Recorded:
    """A refusal for a block."""
    decision = Decision(
        attempt or make_attempt(price=0.05, country="GB"), Action.BLOCK, (SURGE,),
        reference="7Q3K-9XDM", **facts,
    )  # fmt: skip
    return Recorded(decision, 1_700_000_000.25, 0.000_125, EXCHANGE)


def test_a_refusal_in_the_names_of_the_schema() -> None:
    event = flat(event_of(refused()))
    assert (
        event.items()
        >= {
            "@timestamp": "2023-11-14T22:13:20.250Z",
            "event.kind": "event",
            "event.category": "network",
            "event.type": "denied",
            "event.action": "block",
            "event.outcome": "failure",
            "event.reason": "PREFIX_SURGE",
            "event.reference": "7Q3K-9XDM",
            "event.duration": 125_000,
            "rule.name": "prefix_pattern",
            "rule.ruleset": "shop",
            "rule.version": policy_version(POLICY),
            "source.ip": "81.2.69.0",
            "source.geo.country_iso_code": "GB",
            "network.protocol": "https",
            "http.request.method": "POST",
            "http.response.status_code": 403,
            "url.path": "/otp/send",
            "pumpguard.number.masked": "+447400123•••",
            "pumpguard.number.country": "GB",
            "pumpguard.number.block": "+447400123",
            "pumpguard.price": 0.05,
            "pumpguard.action": "block",
            "pumpguard.score": 2.0,
            "pumpguard.degraded": False,
            "pumpguard.known": False,
        }.items()
    )
    (finding,) = event["pumpguard.findings"]
    assert finding["evidence"] == {"used": 3, "prefix": "+44740012"}
    assert finding["passes"] == "in 30 s"


def test_what_was_let_through_says_so() -> None:
    """Without a reason, a reference or a rule."""
    event = flat(event_of(Recorded(Decision(make_attempt()), 0.0)))
    assert (event["event.action"], event["event.type"]) == ("allow", "allowed")
    assert event["event.outcome"] == "success"
    assert not {"event.reason", "event.reference", "rule.name", "url.path"} & event.keys()


@pytest.mark.parametrize(
    ("finding", "passes"),
    [
        (Finding("a", Action.CHALLENGE, "A", retry_after=9.0), "with proof or in 9 s"),
        (Finding("a", Action.CHALLENGE, "A"), "with proof"),
        (Finding("a", Action.THROTTLE, "A", retry_after=9.4), "in 9 s"),
        (Finding("a", Action.BLOCK, "A"), "if an operator allows it"),
        (Finding("a", Action.BLOCK, "A", mode="monitor"), "as it is"),
        (Finding("a", Action.ALLOW, "A"), "as it is"),
    ],
)
def test_what_would_have_let_it_pass(finding: Finding, passes: str) -> None:
    """Of every finding."""
    decision = Decision(make_attempt(), finding.action, (finding,))
    found = event_of(Recorded(decision, 0.0))["pumpguard"]["findings"]
    assert [each["passes"] for each in found] == [passes]


def test_the_hash_is_that_of_the_lists() -> None:
    """So that a number can be allowed by its event, without being known."""
    event = event_of(refused())
    expected = keyed_hash(SECRET)("number", "+447400123456")
    assert event["pumpguard"]["number"]["hash"] == expected


@given(ADDRESSES)
def test_an_address_is_an_address_however_it_is_shown(address: str) -> None:
    """``source.ip`` has the type of an address. Two of one network share it, and say not whose."""
    attempt = make_attempt(address=address)
    shown = {}
    for how in ("masked", "hashed", "whole"):
        event = event_of(refused(attempt), how)
        shown[how] = ip_address(event["source"]["ip"])
    assert shown["whole"] == ip_address(attempt.client.address or "")
    assert shown["hashed"].packed[0] == 0xFD
    hidden = 1 if shown["whole"].version == 4 else 10
    assert not any(shown["masked"].packed[-hidden:])
    assert shown["masked"].packed[:-hidden] == shown["whole"].packed[:-hidden]


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_network_is_shown_by_its_first_address(
    address: IPv4Address | IPv6Address, bits: int
) -> None:
    """Of its /24 or /48, or of a wider one itself; in whatever way it was come by."""
    network = ip_network((address, min(bits, address.max_prefixlen)), strict=False)
    shown = min(network.prefixlen, 24 if address.version == 4 else 48)
    first = ip_network((address, shown), strict=False).network_address
    assert masked_address(str(network)) == str(first)


@given(st.binary(min_size=10, max_size=10))
def test_a_hash_is_written_as_an_address_is(digest: bytes) -> None:
    """One text for each: as a reader of addresses would write it."""
    shown = hashed_address(digest.hex())
    assert shown == str(IPv6Address(b"\xfd" + digest + bytes(5)))


@given(numbers(), st.ip_addresses(v=4).map(str), st.sampled_from(["masked", "hashed"]))
def test_nothing_personal_is_in_an_event(phone: str, address: str, how: Any) -> None:
    """Whatever a rule repeats, and wherever the number stands in a path."""
    attempt = make_attempt(
        phone, address, session="s-4711-secret", account="mike@example.org", device="device-9",
        solution="solution-8", extra={"mail": "mail@example.org"},
    )  # fmt: skip
    found = Talkative().judge(attempt)
    decision = Decision(attempt, Action.BLOCK, (found,))
    exchange = Exchange("GET", f"/otp/{phone}/send", "http", 403)
    maker = EventMaker(POLICY, how)
    change = Change("allow", "number", attempt.phone.masked, f"mike {phone}", f"for {phone}", 0.0)
    said = {name: found.evidence[name] for name in ("phone", "digits", "national", "address")}
    told = [
        maker.line(Recorded(decision, 0.0, None, exchange)),
        maker.line(Became(attempt.phone, "failed", 0.0, attempt=attempt)),
        maker.line(change),
        maker.line(Alert("BUDGET_LOW", "x", said, phone, 0.0)),
    ]
    text = b"\n".join(told).decode()
    for secret in (phone, phone[1:], attempt.phone.national, "s-4711-secret", "mike@example.org",
                   "device-9", "solution-8", "mail@example.org"):  # fmt: skip
        assert secret not in text
    assert not re.search(rf"(?<![0-9.]){re.escape(address)}(?![0-9.])", text) or (
        how == "masked" and address.endswith(".0")  # its network's first address
    )


def test_an_operator_may_keep_numbers_for_a_replay() -> None:
    """In files of his own: then each decision can be made again as it was."""
    event = event_of(refused(), "whole", "clear")
    assert event["pumpguard"]["number"]["e164"] == "+447400123456"
    assert event["pumpguard"]["attempt"]["network"] == "81.2.69.142/32"
    assert "e164" not in event_of(refused())["pumpguard"]["number"]


def test_outcomes_orders_and_alerts_are_events() -> None:
    phone = make_attempt().phone
    verified = flat(event_of(Became(phone, "verified", 0.0, 2, 0.1)))
    assert (verified["event.action"], verified["event.outcome"]) == ("verified", "success")
    assert (verified["pumpguard.messages"], verified["pumpguard.usd"]) == (2, 0.1)
    order = Change("posture", "country", "GB", "ann", "attack", 0.0, "closed", 60.0)
    changed = flat(event_of(order))
    assert (changed["event.action"], changed["user.name"]) == ("posture", "ann")
    assert changed["pumpguard.order.value"] == "closed"
    alert = flat(event_of(Alert("SEND_SPIKE", "spike", {"n": 3}, "GB", 0.0)))
    assert (alert["event.kind"], alert["event.action"]) == ("alert", "SEND_SPIKE")
    assert flat(json.loads(MAKER.dropped(3, 0.0)))["pumpguard.dropped"] == 3


def test_the_version_is_the_policys_and_no_secret() -> None:
    """It changes with any setting, and is the same in every process."""
    same = Policy(send="/otp/send", secret="another good secret", name="shop")
    other = Policy(send="/otp/send", secret=SECRET, name="shop", daily_budget=601)
    functions = [Policy(send="/otp/send", phone=lambda fields: "x") for _ in range(2)]
    assert policy_version(POLICY) == policy_version(same)
    assert policy_version(POLICY) != policy_version(other)
    assert policy_version(functions[0]) == policy_version(functions[1])


@given(
    st.floats(0, 4e9),
    st.dictionaries(st.text(), st.text() | st.integers() | st.floats() | st.booleans()),
    st.text(),
)
def test_a_line_is_json_whatever_a_rule_says(
    at: float, evidence: dict[str, object], name: str
) -> None:
    """And whatever the time."""
    finding = Finding(name, Action.BLOCK, name, evidence)
    decision = Decision(make_attempt(at=at), Action.BLOCK, (finding,))
    event = event_of(Recorded(decision, at))
    assert event["rule"]["name"] == event["event"]["reason"] == name
    assert event["pumpguard"]["findings"][0]["evidence"].keys() == evidence.keys()
    assert event["pumpguard"]["attempt"]["at"] == at


@given(st.floats(0, 4e9))
def test_times_are_to_the_millisecond(at: float) -> None:
    """Rounded down, as clocks are read, but for what a float cannot hold."""
    shown = datetime.fromisoformat(event_of(Recorded(Decision(make_attempt()), at))["@timestamp"])
    assert -1e-9 < at - shown.timestamp() < 0.001_01


def test_all_that_is_known_of_a_refusal_is_explained() -> None:
    """The request and its answer, and that the store was away; no address where there is none."""
    decision = Decision(make_attempt(address=None), Action.THROTTLE, degraded=True)
    exchange = Exchange("POST", "/otp/send", "https", 429)
    made = event_of(Recorded(decision, 1_700_000_000.0, 0.01, exchange))
    said = list(explained(made))
    assert "request: POST /otp/send, answered 429" in said
    assert "the store could not answer" in said
    assert not [line for line in said if line.startswith(("address:", "price:"))]
