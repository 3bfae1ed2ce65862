"""A walk over a rented IPv6 block."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address

from attack_harness.attackers import Ipv6Walk

from .planning import ground


def test_every_request_comes_from_another_network_of_one_site() -> None:
    attack = Ipv6Walk(seconds=300).plan(ground("ipv6_walk"))
    addresses = [ip_address(shot.address) for shot in attack.shots]
    networks = {IPv6Network((int(address) >> 64 << 64, 64)) for address in addresses}
    assert len(networks) == len(attack.shots) == 300
    assert len({network.supernet(new_prefix=48) for network in networks}) == 1
