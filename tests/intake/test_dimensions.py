"""Dimensions that a policy names itself: read once, and then as good as the built-in ones."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Attempt, Finding, Guard, IntakeError, Policy, PolicyError
from pumpguard.attempt import NetworkKind
from pumpguard.counters import Counter, Distinct, Reading, Window
from pumpguard.intake.dimensions import agent_class, email_domain, key_text
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import Conversion, Credit, RateLimit, Rule, SlidingBan, Spread
from pumpguard.testing import make_attempt
from tests.asgi import PHONE, Reply, arriving, call, request
from tests.otp_app import Outbox, guarded, otp_app

OURS = {"email_domain": "json:email", "agent": "header:user-agent", "tenant": "query:tenant"}


async def read(dimensions: Any, body: Any, **scope: Any) -> Attempt:
    """The attempt that a request makes."""
    policy = Policy(send="/otp/send", dimensions=dimensions)
    reader = Guard(policy, networks=UnknownNetworks()).reader
    scope_ = request(**scope)
    (attempt,), _ = await reader.read(scope_, arriving(json.dumps(body).encode()), {})
    return attempt


# Reading them


async def test_a_request_is_read_as_the_policy_says() -> None:
    attempt = await read(
        OURS,
        {"phone": PHONE, "email": "Somebody@Example.COM"},
        query="tenant=7",
        headers={"user-agent": "curl/8.5.0"},
    )
    assert attempt.extra == {"email_domain": "example.com", "agent": "library", "tenant": "7"}
    assert attempt.subject("email_domain") == "example.com"
    assert attempt.subject("tenant+country") == "1:72:GB"


async def test_what_a_request_does_not_say_is_unknown() -> None:
    """And no shared bucket; only to say nothing about one's program is a class of its own."""
    attempt = await read(OURS, {"phone": PHONE})
    assert attempt.extra == {"agent": "none"}
    assert attempt.subject("email_domain") is None


async def test_a_function_of_the_fields_reads_anything() -> None:
    """For what stands in no single place."""

    def plan(fields: Fields) -> object:
        return f"{fields.get('json:plan')}-{fields.get('header:x-tier')}"

    attempt = await read({"plan": plan}, {"phone": PHONE, "plan": "free"}, headers={"x-tier": "2"})
    assert attempt.extra == {"plan": "free-2"}


async def test_long_values_are_hashed_like_sessions() -> None:
    """A value is bounded, whatever a client sends."""
    attempt = await read({"token": "json:token"}, {"phone": PHONE, "token": "x" * 500})
    assert len(attempt.extra["token"]) == 32


@pytest.mark.parametrize("value", [True, 1.5, ["a"], {"a": 1}])
async def test_what_is_no_key_is_refused(value: Any) -> None:
    """As for sessions and accounts: text or a whole number."""
    with pytest.raises(IntakeError) as error:
        await read({"token": "json:token"}, {"phone": PHONE, "token": value})
    assert error.value.status == 400


async def test_a_function_that_fails_lets_nothing_through() -> None:
    """What cannot be read is refused, never skipped."""

    def broken(fields: Fields) -> object:
        raise RuntimeError("a bug")

    app = guarded(otp_app(Outbox()), dimensions={"plan": broken})
    assert (await call(app, request(), json.dumps({"phone": PHONE}).encode())).status == 400


def test_outside_http_they_are_given() -> None:
    """A worker knows them from elsewhere; a name that the policy does not have is a mistake."""
    guard = Guard(Policy(send="/s", dimensions=OURS), networks=UnknownNetworks())
    assert guard.attempt(PHONE, extra={"tenant": "7", "agent": ""}).extra == {"tenant": "7"}
    with pytest.raises(PolicyError) as error:
        guard.attempt(PHONE, extra={"tennant": "7"})
    assert error.value.path == "extra.tennant"


def test_an_attempt_without_any_costs_and_says_nothing() -> None:
    """It can still be hashed, compared and sent to a worker."""
    attempt = make_attempt()
    assert attempt.extra == {}
    assert hash(attempt) == hash(make_attempt())
    assert pickle.loads(pickle.dumps(attempt)) == attempt


# What the two known names mean


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@example.com", "example.com"),
        ("A@EXAMPLE.Com", "example.com"),
        ('"a@b"@example.com', "example.com"),
        ("a@bücher.example", "xn--bcher-kva.example"),
        ("a@BÜCHER.example", "xn--bcher-kva.example"),
        ("a@bücher。example", "xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a@mail.example.co.uk", "mail.example.co.uk"),
        ("a@\u0130.example", "\u0130.example".lower()),
        ("a@" + "ü" * 70 + ".example", "ü" * 70 + ".example"),
        ("a@", None),
        ("nobody", None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_of_an_email_address(address: object, domain: str | None) -> None:
    """Lower case and IDNA, and nothing else."""
    found = email_domain(address)
    assert found == domain or (domain and found == email_domain(f"x@{domain}"))


@given(st.text())
def test_no_address_breaks_it(address: str) -> None:
    """And a domain is its own domain: to read it twice changes nothing."""
    domain = email_domain(address)
    if domain is not None:
        assert domain
        assert email_domain(f"a@{domain}") == domain or not domain.isascii()


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML)"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (f"{CHROME} Chrome/126.0.0.0 Safari/537.36", "chrome"),
        (f"{CHROME} Chrome/126.0.0.0 Safari/537.36 Edg/126.0", "edge"),
        (f"{CHROME} Chrome/126.0.0.0 Safari/537.36 OPR/111.0", "opera"),
        (f"{CHROME} SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36", "samsung"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "firefox"),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "safari"),
        (f"{IPHONE} CriOS/126.0 Mobile/15E148 Safari/604.1", "chrome"),
        (f"{IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "firefox"),
        (f"{CHROME} HeadlessChrome/126.0.0.0 Safari/537.36", "bot"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("python-requests/2.32.3", "library"),
        ("curl/8.5.0", "library"),
        ("okhttp/4.12.0", "library"),
        ("Go-http-client/2.0", "library"),
        ("Dart/3.4 (dart:io)", "library"),
        ("MyApp/7 CFNetwork/1496 Darwin/23", "library"),
        ("Mozilla/5.0", "other"),
        ("MyApp/7", "other"),
        (" ", "none"),
        ("", "none"),
        (None, "none"),
    ],
)
def test_classes_of_programs(said: str | None, kind: str) -> None:
    """A dozen words, so that there is nothing to rotate through."""
    assert agent_class(said) == kind


@given(st.text())
def test_every_program_has_a_class(said: str) -> None:
    kinds = {"edge", "opera", "samsung", "firefox", "chrome", "safari"}
    assert agent_class(said) in kinds | {"bot", "library", "none", "other"}


@given(st.none() | st.text() | st.integers())
def test_a_key_is_text_or_a_whole_number(value: object) -> None:
    assert key_text(value) == (None if value in (None, "") else str(value))


# Using them


async def ask(app: Any, phone: str, **body: Any) -> Reply:
    return await call(app, request(), json.dumps({"phone": phone, **body}).encode())


async def test_a_limit_per_domain() -> None:
    """No rule knows the dimension; it is a name in the policy."""
    outbox = Outbox()
    rule = RateLimit(by="email_domain", limits="2/hour")
    app = guarded(otp_app(outbox), rules=[rule], dimensions={"email_domain": "json:email"})
    statuses = [
        (await ask(app, f"+44740012345{n}", email=f"user{n}@{domain}")).status
        for n, domain in enumerate(["spam.example", "SPAM.example", "spam.example", "ok.example"])
    ]
    assert statuses == [202, 202, 429, 202]
    assert (await ask(app, PHONE)).status == 202  # without an address, the rule is silent


async def test_what_one_of_ours_is_counted_of() -> None:
    """Too many domains from one address."""
    spread = Spread(by="network", of="email_domain", limit=2, action="throttle")
    app = guarded(otp_app(Outbox()), rules=[spread], dimensions={"email_domain": "json:email"})
    statuses = [
        (await ask(app, f"+44740012345{n}", email=f"user@{n % 3}.example")).status for n in range(4)
    ]
    assert statuses == [202, 202, 429, 202]


def test_every_rule_takes_them() -> None:
    """Limits, bans, lines of credit, conversion; alone or in combination."""
    policy = Policy(
        send="/s",
        settled=True,
        dimensions=OURS,
        rules=[
            RateLimit(by=("tenant", "country"), limits="5/hour"),
            SlidingBan(strikes="5/hour", by="email_domain"),
            Credit(lines={"tenant": 5.0}),
            Conversion(by=["tenant", "agent+country"]),
        ],
    )
    assert policy.outcome_counters is not None
    assert policy.outcome_counters.tickets.remembers == ("tenant", "agent+country")


def test_a_file_names_them() -> None:
    policy = Policy.from_toml(
        'send = "/s"\n[dimensions]\ntenant = "query:tenant"\n'
        '[rules.per_tenant]\nrule = "rate_limit"\nby = ["tenant", "asn"]\nlimits = "9/hour"\n'
    )
    assert policy.dimensions == {"tenant": "query:tenant"}
    assert policy.chain[-1].name == "per_tenant"


# What is refused


class Own(Rule):
    """A rule of one's own that counts by what nobody has named."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(name="own")
        self.counter = counter

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """The one it was given."""
        return (self.counter,)

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Nothing."""
        return None


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (RateLimit(by="tennant", limits="1/day"), "rules.rate_limit.by"),
        (RateLimit(by=("phone", "tennant"), limits="1/day"), "rules.rate_limit.by.1"),
        (SlidingBan(strikes="1/day", by="tennant"), "rules.sliding_ban.by"),
        (Spread(by="phone", of="tennant", limit=2), "rules.spread.of"),
        (Spread(by="tennant", of="phone", limit=2), "rules.spread.by"),
        (Credit(lines={"phone": 1.0, "tennant": 1.0}), "rules.credit.lines.tennant"),
        (Conversion(by=["phone", "tennant+country"]), "rules.conversion.by.1"),
        (Own(Window("own", "tennant", 1, 60)), "rules.own"),
        (Own(Distinct("own", "phone", 1, 60, "tennant")), "rules.own"),
    ],
)
def test_a_name_that_the_policy_does_not_have_is_refused(rule: Any, path: str) -> None:
    """With the place where it stands."""
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", rules=[rule], settled=True, dimensions={"tenant": "query:tenant"})
    assert error.value.path == path
    assert "tenant" in error.value.expected


@pytest.mark.parametrize(
    "name", ["phone", "network", "asn", "prefix", "prefix:3", "a+b", "A", "", "ü", "x" * 33, "a\n"]
)
def test_names_that_are_taken_or_unfit(name: str) -> None:
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", dimensions={name: "json:x"})
    assert error.value.path == f"dimensions.{name}"


@pytest.mark.parametrize("where", ["cookiejar:x", "json:", " ", 5, None])
def test_places_that_do_not_exist(where: Any) -> None:
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", dimensions={"tenant": where})
    assert error.value.path == "dimensions.tenant"


@pytest.mark.parametrize(
    ("kind", "country", "abroad", "hidden"),
    [
        ("unknown", "GB", None, None),
        ("unknown", None, None, None),
        ("unknown", "FR", "unknown", None),
        ("vpn", "GB", "vpn", "vpn"),
        ("relay", None, "relay", "relay"),
    ],
)
def test_where_a_client_is_as_far_as_its_network_tells(
    kind: NetworkKind, country: str | None, abroad: str | None, hidden: str | None
) -> None:
    """A British number; behind a VPN or a relay nobody knows where its users are."""
    attempt = make_attempt(PHONE)
    attempt = replace(attempt, client=replace(attempt.client, kind=kind, country=country))
    assert attempt.subject("client_abroad") == abroad
    assert attempt.subject("client_hidden") == hidden
