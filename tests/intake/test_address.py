"""The client's address, as far as it is proven, and the network that it stands for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard.intake.address import (
    MAX_HOPS,
    Address,
    TrustedProxies,
    network_of,
    parse_address,
    site_of,
    text_of,
)
from tests.asgi import request

PROXY = "10.0.0.1"
OURS = ("10.0.0.0/8", "fd00::/8", "192.0.2.1/32")
CLIENT = "203.0.113.9"
SIX = "2001:db8:1:2::9"


def client(
    *lines: str,
    peer: str | None = PROXY,
    proxies: tuple[str, ...] = OURS,
    header: str = "x-forwarded-for",
) -> str | None:
    scope = request(
        headers=[(header, line) for line in lines], client=(peer, 1) if peer is not None else None
    )
    found = TrustedProxies(proxies, header).client(scope)
    return None if found is None else str(found)


@pytest.mark.parametrize(
    "line",
    [
        # What our proxy appends stands at the right; whatever the client wrote, left of it.
        CLIENT,
        f"1.1.1.1, {CLIENT}",
        f"1.1.1.1,2.2.2.2,3.3.3.3,{CLIENT}",
        f"10.0.0.7, {CLIENT}",
        f"127.0.0.1, {CLIENT}",
        f"{CLIENT}, {CLIENT}",
        f"junk, {CLIENT}",
        f", {CLIENT}",
        f",,,,{CLIENT}",
        f"unknown, {CLIENT}",
        f"_hidden, {CLIENT}",
        f"'; DROP TABLE, {CLIENT}",
        f"\x00\x01, {CLIENT}",
        f"999.999.999.999, {CLIENT}",
        f"::1, {CLIENT}",
        f"{'1.1.1.1,' * 1000}{CLIENT}",
        f"{'x' * 10_000},{CLIENT}",
        # Further proxies of ours stand between the client and the peer.
        f"{CLIENT}, 10.0.0.2",
        f"{CLIENT}, 10.0.0.2, 10.0.0.3",
        f"1.1.1.1, {CLIENT}, 10.0.0.2",
        f"1.1.1.1, {CLIENT}, fd00::7",
        f"1.1.1.1, {CLIENT}, 192.0.2.1, 10.255.255.255",
        f"10.0.0.9, {CLIENT}, 10.0.0.2",
        f"junk, {CLIENT}, 10.0.0.2",
        # Ways to write it.
        f"  {CLIENT}  ",
        f"\t{CLIENT}\t",
        f"{CLIENT}:4711",
        f"{CLIENT}:4711, 10.0.0.2:80",
        f'"{CLIENT}"',
        f'"{CLIENT}:4711"',
        f"[{CLIENT}]",
        f"[{CLIENT}]:4711",
        f"::ffff:{CLIENT}",
        f"::FFFF:{CLIENT}",
        f"[::ffff:{CLIENT}]:4711",
        f"1.1.1.1, ::ffff:{CLIENT}",
        f"{CLIENT}, ::ffff:10.0.0.2",
        "::ffff:cb00:7109",
        "0:0:0:0:0:ffff:cb00:7109",
        "2002:cb00:7109::1",  # 6to4
        "2002:cb00:7109:ffff:1:2:3:4",
        "64:ff9b::203.0.113.9",  # NAT64
        "64:ff9b::cb00:7109",
        f"{CLIENT}%eth0",
        f"::ffff:{CLIENT}%1",
    ],
)
def test_behind_our_proxies_the_first_address_from_the_right_is_the_client(line: str) -> None:
    assert client(line) == CLIENT


@pytest.mark.parametrize(
    "line",
    [
        SIX,
        "2001:DB8:1:2::9",
        "2001:0db8:0001:0002:0000:0000:0000:0009",
        "2001:db8:1:2:0:0:0.0.0.9",
        f"[{SIX}]",
        f"[{SIX}]:443",
        f'"[{SIX}]:443"',
        f"{SIX}%eth0",
        f"[{SIX}%eth0]:443",
        f"{SIX}%{'x' * 500}",
        f"1.1.1.1, {SIX}",
        f"{SIX}, fd00::1",
        f"[{SIX}]:443, [fd00::1]:80, 10.0.0.1:80",
    ],
)
def test_ipv6_clients_have_one_spelling_too(line: str) -> None:
    assert client(line) == SIX


@pytest.mark.parametrize(
    "lines",
    [
        ("1.1.1.1", CLIENT),
        (f"1.1.1.1, {CLIENT}", "10.0.0.2"),
        (CLIENT, "10.0.0.2", "10.0.0.3"),
        ("1.1.1.1, 2.2.2.2", "3.3.3.3", CLIENT),
        ("", CLIENT),
        (CLIENT, f"{CLIENT}, 10.0.0.2"),
        (f"junk,{CLIENT}", "10.0.0.2"),
    ],
)
def test_several_header_lines_are_one_list(lines: tuple[str, ...]) -> None:
    """A client sends a line of its own, and the proxy adds another."""
    assert client(*lines) == CLIENT


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        (" ",),
        (",",),
        ("junk",),
        ("unknown",),
        ("_obfuscated",),
        ("localhost",),
        ("1.2.3",),
        ("1.2.3.4.5",),
        ("1.2.3.256",),
        ("01.02.03.04",),
        ("0x7f.1",),
        ("2130706433",),
        ("１.1.1.1",),
        ("-1.1.1.1",),
        ("1.1.1.1:80:80",),
        ("1.1.1.1/32",),
        ("2001:db8::/32",),
        (":::",),
        ("[2001:db8::1",),
        ("2001:db8::1]",),
        ("12345::1",),
        ("%eth0",),
        ("for=1.1.1.1",),
        ("1.1.1.1;2.2.2.2",),
        ("1.1.1.1 2.2.2.2",),
        ("1.1.1.1, junk",),
        ("1.1.1.1", "junk"),
    ],
)
def test_junk_never_makes_a_client(lines: tuple[str, ...]) -> None:
    """The peer is known; what stands left of junk was not written by a proxy of ours."""
    lines = tuple(line.encode("utf-8").decode("latin-1") for line in lines)
    found = client(*lines)
    assert found in (PROXY, "2001:db8::1")
    if "2001:db8::1" not in "".join(lines):
        assert found == PROXY


def test_junk_after_some_of_our_proxies_leaves_the_last_that_is_known() -> None:
    assert client(f"{CLIENT}, junk, 10.0.0.2, 10.0.0.3") == "10.0.0.2"


@pytest.mark.parametrize("peer", ["198.51.100.1", "11.0.0.1", "9.255.255.255", "2001:db8::1"])
@pytest.mark.parametrize("line", [CLIENT, PROXY, "10.0.0.2, 10.0.0.3", "127.0.0.1", "junk", ""])
def test_a_peer_that_is_no_proxy_of_ours_is_the_client_whatever_it_says(
    peer: str, line: str
) -> None:
    assert client(line, peer=peer) == peer


@pytest.mark.parametrize("peer", ["10.0.0.1", "127.0.0.1", "::1", "198.51.100.1"])
def test_by_default_nobody_is_believed(peer: str) -> None:
    assert client(CLIENT, peer=peer, proxies=()) == peer


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "fd00::1%eth0", "10.0.0.1:80"])
def test_a_proxy_is_known_however_the_server_writes_it(peer: str) -> None:
    assert client(CLIENT, peer=peer) == CLIENT


def test_only_the_configured_header_counts() -> None:
    scope = request(headers={"x-forwarded-for": "1.1.1.1", "cf-connecting-ip": CLIENT})
    scope["client"] = (PROXY, 1)
    proxies = TrustedProxies(OURS, "CF-Connecting-IP")
    assert str(proxies.client(scope)) == CLIENT


@pytest.mark.parametrize("end", [",", ", ,", ", unknown", ", UNKNOWN,", ", unknown, 10.0.0.2"])
def test_elements_that_name_nobody_are_skipped(end: str) -> None:
    """A list may end in a comma, and a proxy of ours may not know who its peer is."""
    assert client(f"1.1.1.1, {CLIENT}{end}") == CLIENT


def test_a_proxy_on_a_unix_socket_can_be_named() -> None:
    """It has no address; what it says is believed, and its own word for the socket is skipped."""
    ours = ("unix", *OURS)
    assert client(f"1.1.1.1, {CLIENT}", peer=None, proxies=ours) == CLIENT
    assert client(f"1.1.1.1, {CLIENT}", peer="", proxies=ours) == CLIENT
    assert client(f"1.1.1.1, {CLIENT}, unix:", peer="10.0.0.1", proxies=ours) == CLIENT
    assert client(CLIENT, peer="198.51.100.7", proxies=ours) == "198.51.100.7"
    assert client(peer=None, proxies=ours) is None


def test_when_every_hop_is_ours_the_farthest_one_asks() -> None:
    """Such as a health check from inside."""
    assert client("10.0.0.4, 10.0.0.3, 10.0.0.2") == "10.0.0.4"


def test_a_list_longer_than_any_chain_of_proxies_is_not_read_to_its_end() -> None:
    hops = [f"10.0.1.{i}" for i in range(MAX_HOPS + 8)]
    assert client(", ".join([CLIENT, *hops])) == hops[-MAX_HOPS]


@pytest.mark.parametrize("peer", [None, "", "testclient", "/run/app.sock", "@"])
def test_a_server_that_does_not_know_its_peer_knows_no_client(peer: str | None) -> None:
    """A Unix socket: unknown is an answer, and no address that a header claims."""
    assert client(CLIENT, peer=peer) is None


# Networks


@pytest.mark.parametrize(
    ("address", "network", "site"),
    [
        ("203.0.113.9", "203.0.113.9/32", None),
        ("::ffff:203.0.113.9", "203.0.113.9/32", None),
        ("2002:cb00:7109:1::1", "203.0.113.9/32", None),
        ("64:ff9b::203.0.113.9", "203.0.113.9/32", None),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8::203.0.113.9", "2001:db8::/64", "2001:db8::/48"),  # bits decide, not dots
        ("::1", "::/64", "::/48"),
    ],
)
def test_an_address_stands_for_a_network(address: str, network: str, site: str | None) -> None:
    found = parse_address(address)
    assert found is not None
    assert (network_of(found), site_of(found)) == (network, site)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**16 - 1))
@settings(deadline=None)
def test_rotation_inside_a_64_is_one_network_and_inside_a_48_one_site(
    host: int, other: int, subnet: int
) -> None:
    base = int(IPv6Address("2001:db8:7::"))
    here, there = IPv6Address(base + host), IPv6Address(base + other)
    elsewhere = IPv6Address(base + (subnet << 64) + host)
    assert network_of(here) == network_of(there)
    assert site_of(here) == site_of(elsewhere)
    assert (network_of(here) == network_of(elsewhere)) is (subnet == 0)


@given(st.ip_addresses(v=4))
@settings(deadline=None)
def test_an_ipv4_host_is_one_network_in_every_guise(address: IPv4Address) -> None:
    mapped = IPv6Address((0xFFFF << 32) + int(address))
    guises = [
        f"{address}",
        f"{address}:80",
        f"[{address}]",
        f"::ffff:{address}",
        mapped.exploded,
        mapped.compressed.upper(),
        f"[{mapped}%zone]:80",
        f'"{mapped}"',
        f"64:ff9b::{address}",
        str(IPv6Address((0x2002 << 112) + (int(address) << 80) + 7)),
    ]
    assert {parse_address(guise) for guise in guises} == {address}


@given(st.ip_addresses(v=6), st.text("abc019.-", max_size=5))
@settings(deadline=None)
def test_an_ipv6_host_is_one_address_in_every_guise(address: IPv6Address, zone: str) -> None:
    guises = [
        address.compressed,
        address.exploded,
        address.exploded.upper(),
        f"[{address}]",
        f"[{address}]:443",
        f"{address}%{zone}",
        f' "[{address}%{zone}]:1" ',
    ]
    assert len({parse_address(guise) for guise in guises}) == 1


@given(st.text(max_size=50))
@settings(deadline=None)
def test_any_text_is_an_address_or_nothing(text: str) -> None:
    found = parse_address(text)
    assert found is None or found == ip_address(str(found))


@given(st.lists(st.ip_addresses().map(str) | st.text(max_size=8), max_size=6))
@settings(deadline=None)
def test_whatever_the_client_writes_the_proxys_word_stands(spoofed: list[str]) -> None:
    line = ",".join([*spoofed, CLIENT]).encode("utf-8", "replace").decode("latin-1")
    assert client(line) == CLIENT


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_the_text_of_an_address_is_its_canonical_one(address: Address) -> None:
    assert text_of(address) == str(address)
