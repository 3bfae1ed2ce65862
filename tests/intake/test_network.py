"""Country and kind of an address, from real data: packaged, or MaxMind's."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import iporigin
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pumpguard import Guard, Policy, PumpGuardMiddleware
from pumpguard.attempt import NetworkKind
from pumpguard.errors import PolicyError
from pumpguard.intake.address import Address
from pumpguard.intake.network import (
    KIND_OF_ORIGIN,
    MaxMindNetworks,
    PackagedNetworks,
    UnknownNetworks,
    default_networks,
)
from pumpguard.intake.reader import CLIENTS, MAX_CLIENT_AGE
from pumpguard.testing import FakeClock
from tests.asgi import ask

PHONE = "+447400123456"
HERE = ip_address("203.0.113.9")
SIX = ip_address("2001:db8::9")
MakeDatabase = Callable[..., Path]


@pytest.fixture
def make_database(tmp_path: Path) -> MakeDatabase:
    """Writes a database that has one record for one network."""

    def make(record: Any, network: str = "203.0.113.0/24", version: int = 4) -> Path:
        writer = MMDBWriter(version, "Test")
        writer.insert_network(IPSet([network]), record)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.mmdb"
        writer.to_db_file(str(path))
        return path

    return make


# The data inside the wheels


@pytest.mark.parametrize(
    ("address", "country", "kind"),
    [
        ("8.8.8.8", "US", "hosting"),
        ("52.94.76.1", "US", "hosting"),  # Amazon
        ("2600:1f18::1", "US", "hosting"),
        ("86.130.0.1", "GB", "unknown"),  # British Telecom's customers
        ("90.0.0.1", "FR", "unknown"),  # Orange's
        ("172.224.226.1", "US", "relay"),  # Apple's
        ("104.28.30.1", "US", "relay"),
        ("100.64.3.1", None, "unknown"),  # inside a carrier
        ("10.0.0.1", None, "unknown"),
        ("127.0.0.1", None, "unknown"),
        ("fe80::1", None, "unknown"),
    ],
)
def test_the_packaged_data_knows_real_addresses(
    address: str, country: str | None, kind: NetworkKind
) -> None:
    networks = PackagedNetworks()
    assert networks.country(ip_address(address)) == country
    assert networks.kind(ip_address(address)) == kind


def test_a_block_for_a_whole_continent_has_no_country() -> None:
    """The registries write ``EU``; as a country, it would differ from every phone's."""
    assert PackagedNetworks().country(ip_address("145.218.1.91")) != "EU"


def test_a_relays_users_are_not_where_its_addresses_are() -> None:
    guard = Guard(Policy(send="/send"), networks=PackagedNetworks())
    client = guard.attempt(PHONE, "172.224.226.1").client
    assert (client.kind, client.country) == ("relay", None)
    assert guard.attempt(PHONE, "86.130.0.1").client.country == "GB"


def test_the_packaged_data_is_the_default() -> None:
    assert isinstance(default_networks(), PackagedNetworks)


def test_without_the_extra_everything_is_unknown_and_a_warning_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "iptocc", None)
    networks = default_networks()
    assert isinstance(networks, UnknownNetworks)
    assert (networks.country(HERE), networks.kind(HERE)) == (None, "unknown")
    assert "PG001" in caplog.text


# MaxMind


@pytest.mark.parametrize(
    "record",
    [
        {"country": {"iso_code": "GB"}},
        {"country": {"iso_code": "GB"}, "registered_country": {"iso_code": "US"}},
        {"registered_country": {"iso_code": "GB"}},
        {"country_code": "GB"},
        {"country": "United Kingdom", "country_code": "GB"},
    ],
)
def test_country_databases_come_in_several_shapes(
    make_database: MakeDatabase, record: dict[str, object]
) -> None:
    networks = MaxMindNetworks(country=make_database(record))
    assert networks.country(HERE) == "GB"
    assert networks.country(ip_address("198.51.100.1")) is None
    assert networks.kind(HERE) == "unknown"


@pytest.mark.parametrize("record", [{}, {"country": {}}, {"country": {"names": {"en": "Here"}}}])
def test_a_record_without_a_country_has_none(
    make_database: MakeDatabase, record: dict[str, object]
) -> None:
    assert MaxMindNetworks(country=make_database(record)).country(HERE) is None


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"is_anonymous": True, "is_tor_exit_node": True, "is_anonymous_vpn": True}, "tor"),
        ({"is_anonymous": True, "is_anonymous_vpn": True, "is_hosting_provider": True}, "vpn"),
        ({"is_anonymous": True, "is_hosting_provider": True}, "hosting"),
        ({"is_anonymous": True, "is_public_proxy": True}, "proxy"),
        ({"is_anonymous": True, "is_residential_proxy": True}, "proxy"),
        ({"is_anonymous": True}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_strongest_flag_is_the_kind(
    make_database: MakeDatabase, record: dict[str, bool], kind: NetworkKind
) -> None:
    networks = MaxMindNetworks(anonymous=make_database(record))
    assert networks.kind(HERE) == kind
    assert networks.country(HERE) is None


def test_a_database_may_know_only_ipv4(make_database: MakeDatabase) -> None:
    """A client with IPv6 is then unknown, and no error."""
    country = make_database({"country": {"iso_code": "GB"}})
    networks = MaxMindNetworks(country=country, anonymous=make_database({"is_tor_exit_node": True}))
    assert (networks.country(SIX), networks.kind(SIX)) == (None, "unknown")


def test_a_database_of_ipv6_is_read_too(make_database: MakeDatabase) -> None:
    path = make_database({"country": {"iso_code": "GB"}}, "2001:db8::/32", 6)
    assert MaxMindNetworks(country=path).country(SIX) == "GB"
    assert MaxMindNetworks(country=str(path)).country(HERE) is None


@pytest.mark.parametrize("setting", ["country", "anonymous"])
def test_a_file_that_cannot_be_opened_is_a_policy_error(setting: str, tmp_path: Path) -> None:
    missing: Any = {setting: tmp_path / "missing.mmdb"}
    with pytest.raises(PolicyError, match=f"^networks.{setting}: expected a MaxMind database"):
        MaxMindNetworks(**missing)


def test_a_file_that_is_no_database_is_a_policy_error(tmp_path: Path) -> None:
    (tmp_path / "text.mmdb").write_text("not a database")
    with pytest.raises(PolicyError, match=r"^networks\.country: expected a MaxMind database"):
        MaxMindNetworks(country=tmp_path / "text.mmdb")


# The cache


class Counted(UnknownNetworks):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def country(self, address: Address) -> str | None:
        """The same country every time."""
        self.asked += 1
        return "GB"


def test_an_answer_is_remembered() -> None:
    networks = Counted()
    guard = Guard(Policy(send="/otp/send"), networks=networks)
    for _ in range(3):
        assert guard.attempt(PHONE, str(HERE)).client.country == "GB"
    assert networks.asked == 1


def test_the_memory_for_addresses_is_bounded() -> None:
    """A million addresses must not take a million places."""
    guard = Guard(Policy(send="/otp/send"), networks=UnknownNetworks())
    for last in range(CLIENTS + 100):
        guard.attempt(PHONE, str(IPv4Address(0x0A000000 + last)))
    assert 0 < guard.reader._client.cache_info().currsize <= CLIENTS


class Live(UnknownNetworks):
    """A list that changes while the process runs."""

    def __init__(self) -> None:
        self.now: tuple[str, NetworkKind, str] = ("GB", "unknown", "AS64500")

    def country(self, address: Address) -> str | None:
        """The country of this moment."""
        return self.now[0]

    def kind(self, address: Address) -> NetworkKind:
        """The kind of this moment."""
        return self.now[1]

    def asn(self, address: Address) -> str | None:
        """The system of this moment."""
        return self.now[2]


def test_what_is_remembered_has_an_age() -> None:
    """An address that becomes an exit of Tor is one for us ten minutes later, at the latest."""
    clock, networks = FakeClock(), Live()
    guard = Guard(Policy(send="/otp/send"), networks=networks, clock=clock)
    before = guard.attempt(PHONE, str(HERE)).client
    networks.now = ("BD", "tor", "AS64501")
    clock.advance(MAX_CLIENT_AGE)
    after = guard.attempt(PHONE, str(HERE)).client
    assert (before.country, before.kind, before.asn) == ("GB", "unknown", "AS64500")
    assert (after.country, after.kind, after.asn) == ("BD", "tor", "AS64501")


class Broken(Live):
    """Data that are damaged in one place."""

    def kind(self, address: Address) -> NetworkKind:
        """Nothing that anybody could use."""
        raise RuntimeError("the record is corrupt")


async def test_a_look_up_that_raises_knows_nothing_and_refuses_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is counted, and said once; what else is known stays."""

    async def send(_: Request) -> JSONResponse:
        return JSONResponse({"status": "sent"}, 202)

    site = Starlette(routes=[Route("/otp/send", send, methods=["POST"])])
    app = PumpGuardMiddleware(site, Policy(send="/otp/send"), networks=Broken())
    for last in range(3):
        reply = await ask(app, f"+44740012345{last}", client=(f"203.0.113.{last}", 4711))
        assert reply.status == 202
    client = app.guard.attempt(PHONE, "203.0.113.2").client
    assert (client.country, client.kind, client.asn) == ("GB", "unknown", "AS64500")
    assert app.guard.reader.failed_look_ups == 3
    assert caplog.text.count("PG085") == 1
    assert "the last with RuntimeError" in caplog.text


def test_the_quick_look_says_the_same_as_iporigin() -> None:
    """The packaged networks look in iporigin's table themselves; the answers must be its own."""
    rng = random.Random(7)
    packaged = PackagedNetworks()
    untyped: Any = iporigin
    addresses: list[Address] = [IPv4Address(rng.getrandbits(32)) for _ in range(3_000)]
    addresses += [IPv6Address(0x2000 << 112 | rng.getrandbits(125)) for _ in range(1_000)]
    addresses += [
        ip_address(text) for text in ("127.0.0.1", "10.1.2.3", "192.0.2.1", "::1", "fd00::1")
    ]
    hosted = [ip_address(text) for text in ("52.95.110.1", "35.190.0.1", "2600:1900::1")]
    for address in addresses + hosted:
        assert packaged.kind(address) == KIND_OF_ORIGIN.get(
            untyped.classify(address).kind, "unknown"
        )
    assert {packaged.kind(address) for address in hosted} == {"hosting"}


# Autonomous systems


def test_maxmind_s_asn_database(make_database: MakeDatabase) -> None:
    """The number, written as people write it; unknown addresses have none."""
    record = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"}
    networks = MaxMindNetworks(asn=make_database(record))
    assert networks.asn(HERE) == "AS64500"
    assert networks.asn(ip_address("198.51.100.1")) is None
    assert networks.asn(SIX) is None
    assert MaxMindNetworks().asn(HERE) is None


def test_an_attempt_knows_the_system_it_came_from(make_database: MakeDatabase) -> None:
    """Where the data has it; with other data, nobody has one."""
    asn = make_database({"autonomous_system_number": 64500})
    policy = Policy(send="/s")
    known = Guard(policy, networks=MaxMindNetworks(asn=asn)).attempt(PHONE, str(HERE))
    assert known.subject("asn") == "AS64500"
    assert Guard(policy, networks=UnknownNetworks()).attempt(PHONE, str(HERE)).client.asn is None
