"""Where the request comes from: its country, and whether people live there or servers."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard.attempt import Attempt, NetworkKind
from pumpguard.counters import Reading
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import ActionName, Rule, action_of


class Network(Rule):
    """Refuses addresses of hosting companies and Tor (``refused_kinds``), asks proof of VPNs and
    proxies (``challenged_kinds``).

    ``refused_countries`` and ``only_countries`` are about the address, not the phone; ``unknown``
    is the action where the address is not known. Most bots rent residential addresses, so expect
    this to stop only the cheapest of them.
    """

    refused_kinds: Sequence[NetworkKind] = ("hosting", "tor")
    challenged_kinds: Sequence[NetworkKind] = ("vpn", "proxy")
    refused_countries: Sequence[str] = ()
    only_countries: Sequence[str] = ()
    unknown: ActionName = "allow"
    action: ActionName = "block"
    weight: float = 1.5

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        client = attempt.client
        kind, country, only = client.kind, client.country, self.only_countries
        code, action = "NETWORK_KIND", self.effect
        if client.network is None:
            code, action = "NETWORK_UNKNOWN", action_of(self.unknown)
            if action is Action.ALLOW:
                return None
        elif kind in self.refused_kinds:
            pass
        elif country in self.refused_countries or (only and country not in only):
            code = "NETWORK_COUNTRY"
        elif kind in self.challenged_kinds:
            action = Action.CHALLENGE
        else:
            return None
        return self.finding(code, {"kind": kind, "country": country}, action=action)
