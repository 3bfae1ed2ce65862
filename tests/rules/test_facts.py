"""number, network, geo_mismatch and country_spread: what the request alone says, and one count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpguard import Action, Policy, PolicyError
from pumpguard.attempt import Attempt
from pumpguard.decision import Finding
from pumpguard.rules import GeoMismatch, Network, Number, Spread
from pumpguard.testing import make_attempt
from tests.rules.trying import Trying


def code(finding: Finding | None) -> str | None:
    return finding.code if finding else None


def from_a(kind: Any, country: str | None = "GB") -> Attempt:
    attempt = make_attempt(country=country)
    return replace(attempt, client=replace(attempt.client, kind=kind))


@pytest.mark.parametrize(
    ("phone", "found"),
    [
        ("+447400123456", None),
        ("+33612345678", None),
        ("+442079460000", None),  # a fixed line: refused only if you say so
        ("+441111111111", "NUMBER_UNALLOCATED"),
        ("+870773111632", "NUMBER_SATELLITE"),
        ("+881612345678", "NUMBER_SATELLITE"),
        ("+8835100000000", "NUMBER_SATELLITE"),
        ("+979123456789", "NUMBER_SATELLITE"),
        ("+449012345678", "NUMBER_LINE_TYPE"),  # premium
        ("+448431234567", "NUMBER_LINE_TYPE"),  # shared cost
        ("+447640123456", "NUMBER_LINE_TYPE"),  # pager
        ("+445512345678", "NUMBER_LINE_TYPE"),  # UAN
    ],
)
def test_numbers_that_nobody_receives_a_code_on(phone: str, found: str | None) -> None:
    """Satellite, premium and their like are refused, and so is what no plan allocates."""
    assert code(Number().judge(make_attempt(phone), ())) == found


def test_lines_and_regions_are_configurable() -> None:
    """VoIP and fixed lines, single countries, or all but a few."""
    fixed, voip, french = "+442079460000", "+445612345678", "+33612345678"
    assert code(Number(refused_lines=["fixed_line"]).judge(make_attempt(fixed), ())) is not None
    assert code(Number(refused_lines=["voip"]).judge(make_attempt(voip), ())) is not None
    assert code(Number(refused_regions=["FR"]).judge(make_attempt(french), ())) == "NUMBER_REGION"
    assert code(Number(only_regions=["GB"]).judge(make_attempt(french), ())) == "NUMBER_REGION"
    assert Number(only_regions=["FR"]).judge(make_attempt(french), ()) is None
    assert Number(unallocated=False).judge(make_attempt("+441111111111"), ()) is None


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("residential", None),
        ("unknown", None),
        ("hosting", Action.BLOCK),
        ("tor", Action.BLOCK),
        ("vpn", Action.CHALLENGE),
        ("proxy", Action.CHALLENGE),
    ],
)
def test_servers_are_refused_and_detours_asked(kind: str, action: Action | None) -> None:
    """Hosting and Tor are blocked; a VPN may be a careful person."""
    finding = Network().judge(from_a(kind), ())
    assert (finding.action if finding else None) == action


def test_countries_of_addresses_are_configurable() -> None:
    """Refuse some, or all but some; an unknown country is not on a list of allowed ones."""
    assert code(Network(refused_countries=["GB"]).judge(from_a("unknown"), ())) == "NETWORK_COUNTRY"
    assert code(Network(only_countries=["FR"]).judge(from_a("unknown"), ())) == "NETWORK_COUNTRY"
    assert code(Network(only_countries=["FR"]).judge(from_a("unknown", None), ())) is not None
    assert Network(only_countries=["GB"]).judge(from_a("unknown"), ()) is None


def test_an_unknown_address_is_an_outcome_of_its_own() -> None:
    """Let through by default; challenge or refuse it if your server always knows its peers."""
    nobody = make_attempt(address=None)
    assert Network().judge(nobody, ()) is None
    finding = Network(unknown="challenge").judge(nobody, ())
    assert finding is not None
    assert (finding.code, finding.action) == ("NETWORK_UNKNOWN", Action.CHALLENGE)


@pytest.mark.parametrize(
    ("phone", "country", "mismatch"),
    [
        ("+447400123456", "GB", False),
        ("+447400123456", "RO", True),
        ("+447400123456", None, False),  # we do not know, so we do not say
        ("+447781123456", "GB", False),  # Guernsey shares +44
        ("+14165550123", "US", False),  # Canada shares +1
        ("+881612345678", "GB", False),  # no country at all
    ],
)
def test_geo_mismatch(phone: str, country: str | None, mismatch: bool) -> None:
    """The phone's country and the address's differ; shared calling codes count as one."""
    finding = GeoMismatch().judge(make_attempt(phone, country=country), ())
    assert code(finding) == ("GEO_MISMATCH" if mismatch else None)


async def test_a_mismatch_asks_and_proof_answers() -> None:
    """A traveller solves the challenge and gets the code."""
    app = Trying(GeoMismatch())
    assert (await app.send(country="RO")).action is Action.CHALLENGE
    assert await app.allows(country="RO", proved=True)


async def test_some_travellers_are_usual() -> None:
    """With limits, so many from elsewhere pass per country, and only who comes then is asked."""
    app = Trying(GeoMismatch(limits="2/hour"))
    travellers = [f"+4474001234{n}" for n in range(50, 53)]
    assert [(await app.send(t, country="RO")).action for t in travellers] == [
        Action.ALLOW,
        Action.ALLOW,
        Action.CHALLENGE,
    ]
    assert await app.allows(travellers[2], country="RO", proved=True)
    assert await app.allows("+447400123459", country="GB")  # whoever is at home is never asked
    assert await app.allows("+33612345678", country="RO")  # France has had nobody yet


async def test_where_users_live_more_of_them_travel() -> None:
    app = Trying(GeoMismatch(limits="1/hour", relaxed_regions=["GB"], relaxed_factor=3))
    numbers = [f"+44740012345{n}" for n in range(4)]
    assert [await app.allows(n, country="RO") for n in numbers] == [True, True, True, False]
    assert await app.allows("+33612345678", country="RO")
    assert not await app.allows("+33612345679", country="RO")


async def test_some_countries_have_no_travellers_to_spare() -> None:
    app = Trying(GeoMismatch(limits="2/hour", strict_regions=["BD"]))
    assert (await app.send("+8801712345678", country="RO")).action is Action.CHALLENGE
    assert await app.allows("+8801712345678", country="BD")


async def test_travellers_who_verify_do_not_count() -> None:
    """Of two that may come from elsewhere, one who has entered the code is none."""
    rule = GeoMismatch(limits="2/hour", ratio=0.1)
    app = Trying(rule, settled=True)
    travellers = [f"+4474001234{n}" for n in range(50, 55)]
    for phone in travellers[:3]:
        assert await app.allows(phone, country="RO")
        if phone != travellers[2]:
            await app.verified(phone)
    assert await app.allows(travellers[3], country="RO")
    assert (await app.send(travellers[4], country="RO")).action is Action.CHALLENGE


async def test_whoever_hides_where_they_are_is_no_traveller() -> None:
    """Users of a relay may be at home: none of them is counted, or asked."""
    app = Trying(GeoMismatch(limits="2/hour", strict_regions=["BD"], ratio=0.1), settled=True)
    for n in range(50, 56):
        for phone in (f"+4474001234{n}", f"+88017123456{n}"):
            attempt = make_attempt(phone, at=app.clock(), country=None)
            relay = replace(attempt, client=replace(attempt.client, kind="relay"))
            assert (await app.guard.assess(relay)).allowed


async def test_a_strict_country_earns_room_for_travellers_by_dollars() -> None:
    """A tenth of what was verified from elsewhere may be unverified there."""
    rule = GeoMismatch(limits="2/hour", strict_regions=["BD"], ratio=0.1)
    app = Trying(rule, settled=True)
    travellers = [f"+88017123456{n}" for n in range(50, 65)]
    for phone in travellers[:10]:
        assert (await app.send(phone, country="RO", price=0.5)).action is Action.CHALLENGE
        assert await app.allows(phone, country="RO", price=0.5, proved=True, after=60)
        app.clock.advance(20)
        await app.verified(phone)
    assert await app.allows(travellers[10], country="RO", price=0.5)
    found = (await app.send(travellers[11], country="RO", price=0.5)).finding
    assert found is not None
    assert found.code == "GEO_MISMATCH"
    assert await app.allows(travellers[12], country="BD", price=0.5)


async def test_one_address_for_many_countries() -> None:
    """Five countries a day from one address pass, the sixth has to prove itself."""
    phones = ["+447400123456", "+33612345678", "+4915112345678", "+353851234567", "+12025550123"]
    chain = Policy(send="/send").chain
    app = Trying(next(rule for rule in chain if rule.name == "country_spread"))
    for phone in phones * 2:
        assert await app.allows(phone)
    sixth = await app.send("+34612345678")
    assert sixth.action is Action.CHALLENGE
    assert sixth.finding is not None
    assert sixth.finding.code == "COUNTRY_SPREAD"
    assert sixth.finding.evidence["used"] == 5
    assert await app.allows("+34612345678", address="198.51.100.7")
    assert await app.allows("+34612345678", address=None)
    assert await app.allows("+34612345678", after=86_400)


@pytest.mark.parametrize("countries", [0, 65])
def test_a_spread_that_cannot_be_counted_is_refused(countries: int) -> None:
    """One to 64."""
    with pytest.raises(PolicyError, match=r"rules\.country_spread\.limit"):
        Policy(send="/send", rules={"country_spread": {"limit": countries}})


def test_modes_and_names_are_checked_everywhere() -> None:
    """A typo in a list of kinds is not a kind that never matches."""
    for rule in (Network, Number, GeoMismatch):
        with pytest.raises(PolicyError):
            rule(mode="loud")  # type: ignore[arg-type]
    with pytest.raises(PolicyError):
        Spread(by="network", of="country", limit=5, mode="loud")  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match="refused_kinds"):
        Network(refused_kinds=["hostings"])  # type: ignore[list-item]
    with pytest.raises(PolicyError, match="refused_lines"):
        Number(refused_lines=["premum"])  # type: ignore[list-item]


def test_unallocated_numbers_may_be_asked() -> None:
    """Of every country, if the policy says so; of premium numbers it says nothing."""
    asks = Number(unallocated="challenge")
    finding = asks.judge(make_attempt("+441111111111"), ())
    assert finding is not None
    assert finding.action is Action.CHALLENGE
    premium = asks.judge(make_attempt("+449012345678"), ())
    assert premium is not None
    assert premium.action is Action.BLOCK


def people(count: int, phone: str, of: int) -> list[Attempt]:
    """So many people, each at an address of their own."""
    return [make_attempt(phone, f"198.51.{of}.{n}") for n in range(count)]


def test_a_country_that_has_just_changed_is_asked() -> None:
    """From the eighth person in a hundred on; other countries are not."""
    rule = Number()
    for attempt in people(100, "+2290197123456", 0):
        assert rule.judge(attempt, ()) is None
    found = [rule.judge(attempt, ()) for attempt in people(10, "+2290297123456", 1)]
    assert [each.action for each in found if each] == [Action.BLOCK] * 7 + [Action.CHALLENGE] * 3
    british = rule.judge(make_attempt("+441111111111"), ())
    assert british is not None
    assert british.action is Action.BLOCK


def test_typing_now_and_then_is_no_change() -> None:
    """Three in a hundred mistype a digit so that nobody has the number."""
    rule = Number()
    for round_ in range(10):
        for attempt in people(97, "+447400123456", round_):
            rule.judge(attempt, ())
        for attempt in people(3, "+441111111111", 100 + round_):
            finding = rule.judge(attempt, ())
            assert finding is not None
            assert finding.action is Action.BLOCK


def test_one_person_changes_no_country() -> None:
    """However many numbers are asked for from one address, or from none."""
    rule = Number()
    for n in range(100):
        for address in ("81.2.69.142", None):
            finding = rule.judge(make_attempt(f"+441111111{n:03}", address), ())
            assert finding is not None
            assert finding.action is Action.BLOCK


def test_people_are_forgotten_after_so_many_others() -> None:
    """A country is as old as its plan again when the latest 128 people type right numbers."""
    rule = Number()
    for attempt in people(10, "+441111111111", 0):
        rule.judge(attempt, ())
    for attempt in people(126, "+447400123456", 1):
        rule.judge(attempt, ())
    finding = rule.judge(make_attempt("+441111111111"), ())
    assert finding is not None
    assert finding.action is Action.BLOCK
