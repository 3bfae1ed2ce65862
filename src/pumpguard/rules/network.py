"""Where the request comes from: its country, and whether people live there or servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.attempt import Attempt, Client, NetworkKind
from pumpguard.config import check
from pumpguard.counters import Counter, Reading
from pumpguard.decision import Action, Finding, Mode
from pumpguard.rules.base import ActionName, action_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Refuses addresses of hosting companies and Tor, asks proof of VPNs and proxies.

    ``refused_countries`` and ``only_countries`` are about the address, not the phone. Most bots
    rent residential addresses, so expect this to stop only the cheapest of them.
    """

    refused_kinds: Sequence[NetworkKind] = ("hosting", "tor")
    challenged_kinds: Sequence[NetworkKind] = ("vpn", "proxy")
    refused_countries: Sequence[str] = ()
    only_countries: Sequence[str] = ()
    unknown: ActionName = "allow"
    name: str = "network"
    mode: Mode = "enforce"
    action: ActionName = "block"
    weight: float = 1.5
    declares_by: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """None: the address says it all."""
        return ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the first thing that is wrong with the address."""
        found = self._reason(attempt.client)
        if found is None:
            return None
        code, action = found
        evidence = {"kind": attempt.client.kind, "country": attempt.client.country}
        return Finding(self.name, action, code, evidence, weight=self.weight, mode=self.mode)

    def _reason(self, client: Client) -> tuple[str, Action] | None:
        action = action_of(self.action)
        if client.network is None:
            unknown = action_of(self.unknown)
            return None if unknown is Action.ALLOW else ("NETWORK_UNKNOWN", unknown)
        if client.kind in self.refused_kinds:
            return "NETWORK_KIND", action
        if client.country in self.refused_countries:
            return "NETWORK_COUNTRY", action
        if self.only_countries and client.country not in self.only_countries:
            return "NETWORK_COUNTRY", action
        if client.kind in self.challenged_kinds:
            return "NETWORK_KIND", Action.CHALLENGE
        return None
