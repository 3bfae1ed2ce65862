"""The most that can be spent under a list of claims: never below the true maximum, and near it.

Every claim is about a set of destinations. Sets are taken from small to large; the destinations of
each are merged into one block, whose bound is the lower of what its parts may spend and what the
claim leaves them: USD as they are, messages at the dearest parts first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite

from pumpguard.money.claims import Claim, Scope

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Bound:
    """At most ``usd`` (infinite: no bound), because of ``rules``; none if it is a mere sum."""

    usd: float
    rules: frozenset[str] = NOBODY

    @property
    def because(self) -> str:
        """The rules that make it up, for people."""
        if not isfinite(self.usd):
            return "nothing"
        return " + ".join(sorted(self.rules)) or "the sum over countries"


@dataclass(frozen=True, slots=True)
class Block:
    """Destinations bounded together; ``price`` is the dearest of them."""

    members: Scope
    price: float
    bound: Bound


def dollars(usd: float) -> str:
    """For people, rounded up to a cent: most of them are bounds."""
    return f"${ceil(usd * 100 - 1e-7) / 100:,.2f}" if isfinite(usd) else "unbounded"


def alone(prices: Sequence[float], claims: Iterable[Claim]) -> list[Bound]:
    """The bound of each destination by itself."""
    bounds = [Bound(inf)] * len(prices)
    for claim in claims:
        for i in claim.scope:
            usd = min(claim.usd, claim.messages * prices[i])
            if usd < bounds[i].usd:
                bounds[i] = Bound(usd, claim.rules)
    return bounds


def together(prices: Sequence[float], bounds: Sequence[Bound], claims: Iterable[Claim]) -> Bound:
    """The bound of all destinations together, from what bounds each by itself."""
    blocks = [
        Block(frozenset([i]), price, bound)
        for i, (price, bound) in enumerate(zip(prices, bounds, strict=True))
        if bound.usd > 0
    ]
    if not blocks:
        return max(bounds, key=lambda bound: len(bound.rules), default=Bound(0.0))
    by_scope: dict[Scope, list[Claim]] = {}
    for claim in claims:
        if len(claim.scope) > 1:
            by_scope.setdefault(claim.scope, []).append(claim)
    for scope, about in sorted(by_scope.items(), key=lambda item: len(item[0])):
        blocks = _merged(blocks, scope, about, bounds)
    total = sum(block.bound.usd for block in blocks)
    return Bound(total, blocks[0].bound.rules if len(blocks) == 1 else NOBODY)


def _merged(
    blocks: Sequence[Block], scope: Scope, claims: Sequence[Claim], bounds: Sequence[Bound]
) -> list[Block]:
    """The blocks that the scope touches as one, the others as they were."""
    touched: list[Block] = []
    others: list[Block] = []
    for block in blocks:
        (others if scope.isdisjoint(block.members) else touched).append(block)
    if not touched:
        return others
    members = frozenset[int]().union(*(block.members for block in touched))
    outside = sum(bounds[i].usd for i in members - scope)
    best = touched[0].bound
    if len(touched) > 1:
        best = Bound(sum(block.bound.usd for block in touched))
    for claim in claims:
        usd = min(claim.usd, _dearest_first(touched, claim.messages)) + outside
        if usd < best.usd:
            best = Bound(usd, claim.rules)
    price = max(block.price for block in touched)
    return [*others, Block(members, price, best)]


def _dearest_first(blocks: Sequence[Block], messages: float) -> float:
    """What so many messages can cost, when no block may cost more than its own bound."""
    usd = 0.0
    for block in sorted(blocks, key=lambda block: -block.price):
        here = min(block.bound.usd, messages * block.price)
        usd += here
        messages -= here / block.price
        if messages <= 0 or usd == inf:
            break
    return usd
