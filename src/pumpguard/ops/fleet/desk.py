"""What people ask about a fleet and order in it: for the console, its API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number

from pumpguard.attempt import Attempt
from pumpguard.counters import Reading, Spend
from pumpguard.counters.base import DESTINATIONS
from pumpguard.errors import IntakeError, OverrideError
from pumpguard.guard import Guard
from pumpguard.ops.events.fields import Event
from pumpguard.ops.events.reading import StreamSource
from pumpguard.ops.fleet.bans import Shown, all_bans, lift, shown, standing
from pumpguard.ops.fleet.explainer import Explainer, Explanation, RuleExplained
from pumpguard.ops.fleet.lately import newest
from pumpguard.ops.fleet.view import FleetReader
from pumpguard.ops.fleet.words import lines
from pumpguard.overrides import rules
from pumpguard.overrides.lists import Listing, keyed_hash
from pumpguard.overrides.lookup import Overrides
from pumpguard.overrides.sync import OverrideSync
from pumpguard.rules import SlidingBan
from pumpguard.store.in_front import behind
from pumpguard.store.inspected import InspectedStore

EVENTS, LOOKED_AT = 20, 5_000
"""Events of a story, and how many are looked at to find them."""

ANYWHERE = "US"
"""Where the made-up number is from that stands in for one that nobody has named."""


@dataclass(frozen=True)
class Story:
    """A number, an address, or both: what would happen now, what stands against it, and who is
    asked for how long. All of it masked."""

    shown: str
    explanation: Explanation
    rules: Sequence[RuleExplained]
    """Those that have something to say."""
    listings: Sequence[Listing]
    bans: Sequence[Shown]
    number: str
    """The hash by which lists and events know the number; empty without one."""
    events: Sequence[Event]
    """Of the number, the address or both: of the stream of events, if there is one, else the last
    that processes have told; newest first."""


class Desk:
    """Asks and orders for people. ``guard`` need not judge requests itself."""

    def __init__(self, guard: Guard, store: InspectedStore) -> None:
        self.guard = guard
        self.policy = guard.policy
        self.store = store
        self.reader = FleetReader(store.fleet, guard.overrides.now)
        self.chain = guard.rules
        self._hashed = keyed_hash(self.policy.secret)

    async def explain(self, attempt: Attempt) -> Explanation:
        """What would become of an attempt now; nothing is charged. Raises `StoreError`."""
        guard, overrides = self.guard, self.guard.store.overrides
        sync = OverrideSync(overrides, self._hashed, guard.notices, sharded=self.policy.shards > 1)
        explainer = Explainer(
            self.policy, self.chain, self.store, sync, guard.observations,
            simulated=guard.simulated,
        )  # fmt: skip
        try:
            return await explainer.explain(attempt)
        finally:
            await sync.aclose()  # nobody goes on asking it

    async def story(self, number: str = "", address: str = "") -> Story:
        """What there is to say of a number, an address, or both together. Raises `OverrideError`
        for what is neither, and `StoreError`."""
        number, address = number.strip(), address.strip()
        attempt = self.attempt(number, address)
        explanation = await self.explain(attempt)
        said = [rule for rule in explanation.rules if rule.finding or lines(rule)]
        if not number:
            said = [each for each in map(_of_client, said) if each is not None]
        document = await self.guard.overrides.show()
        listings = Overrides(document, self._hashed).concerning(attempt)
        if not number:
            listings = [each for each in listings if each.kind == "network"]
        said.sort(key=lambda rule: rule.finding is None)
        bans = {each.id: each for each in self._standing(attempt, said)}
        if address:
            bans |= {each.id: each for each in await self.bans(attempt.client.masked)}
        who = [attempt.phone.masked] if number else []
        who += [attempt.client.masked] if address else []
        events = await self._events(attempt if number else None, attempt if address else None)
        key = self._hashed("number", attempt.phone.e164) if number else ""
        found = [*bans.values()]
        return Story(" for ".join(who), explanation, said, listings, found, key, events)

    async def _events(self, number: Attempt | None, address: Attempt | None) -> list[Event]:
        """What the stream of events has of a number and an address, which it knows by hashes; and
        where no events are kept, what the processes have said lately."""
        wanted = {}
        if number is not None:
            wanted["number"] = self._hashed("number", number.phone.e164)
        if address is not None:
            wanted["network"] = self._hashed("network", address.client.network or "")

        def concerns(event: Event) -> bool:
            about = event.get("pumpguard", {})
            known = {
                "number": about.get("number", {}).get("hash"),
                "network": about.get("attempt", {}).get("network"),
            }
            return all(known[name] == hash_ for name, hash_ in wanted.items())

        found: list[Event] = []
        looked_at = 0
        async for event in StreamSource(self.store.stream).newest():
            looked_at += 1
            if concerns(event):
                found.append(event)
            if len(found) >= EVENTS or looked_at >= LOOKED_AT:
                break
        if looked_at:
            return found
        said = [each.said for each in (await self.reader.look(0.0)).processes]
        return [event for event in newest(said, "refused", "sent") if concerns(event)][:EVENTS]

    def attempt(self, number: str, address: str) -> Attempt:
        """The attempt to ask about. Raises `OverrideError`."""
        if not number and not address:
            raise OverrideError("number", "a number, an address, or both")
        if address:
            try:
                ip_address(address)
            except ValueError:
                raise OverrideError("address", "an IPv4 or IPv6 address") from None
        try:
            return self.guard.attempt(number or self._made_up(), address or None)
        except IntakeError as error:
            raise OverrideError("number", f"a telephone number ({error.detail})") from None

    async def spends(self) -> list[tuple[Spend, Reading]]:
        """Each budget with what is spent of it, the shortest first. Raises `StoreError`."""
        explained = await self.explain(self.guard.attempt(self._made_up()))
        largest: dict[object, tuple[Spend, Reading]] = {}
        for rule in explained.rules:
            for counter, reading in rule.counters:
                if isinstance(counter, Spend):
                    key = counter.rule, counter.by, counter.seconds
                    if key not in largest or largest[key][0].limit < counter.limit:
                        largest[key] = counter, reading
        return sorted(largest.values(), key=lambda each: each[0].seconds)

    async def bans(self, search: str = "") -> list[Shown]:
        """The bans that stand and that processes have met, those that match a search. Raises
        `StoreError`."""
        return [each for each in await all_bans(self.store) if each.matches(search)]

    async def lift(self, id_: str, *, author: str, reason: str = "") -> Shown | None:
        """Lift a ban by its id. Raises `OverrideError` and `StoreError`."""
        at = self.guard.overrides.now() if self.guard.simulated else None
        found = await lift(self.store, self.chain, id_, at)
        rule = id_.split("-", 2)[2]
        subject = "" if found is None else found.subject
        await rules.lifted(self.guard.overrides, rule, subject, author=author, reason=reason)
        return found

    async def monitor(self, rule: str, seconds: float | None, *, author: str, reason: str) -> None:
        """Only record what a rule finds, for a while. Raises `OverrideError` and `StoreError`."""
        self._known(rule)
        await rules.monitor(
            self.guard.overrides, rule, author=author, seconds=seconds, reason=reason
        )

    async def enforce(self, rule: str, *, author: str, reason: str = "") -> None:
        """End that. Raises `OverrideError` and `StoreError`."""
        await rules.enforce(self.guard.overrides, rule, author=author, reason=reason)

    def _known(self, name: str) -> None:
        names = [rule.name for rule in self.chain]
        if name not in names:
            raise OverrideError("rule", f"one of {', '.join(names)}", name)

    def _standing(self, attempt: Attempt, rules: Sequence[RuleExplained]) -> list[Shown]:
        by_name = {rule.name: rule for rule in self.chain}
        found, now = [], self.guard.overrides.now()
        for each in rules:
            rule, finding = by_name.get(each.name), each.finding
            if isinstance(rule, SlidingBan) and finding is not None:
                ban = standing(self.store, rule, attempt, finding, now)
                found += [one for one in [None if ban is None else shown(ban)] if one is not None]
        return found

    def _made_up(self) -> str:
        region = next(iter(self.policy.home), ANYWHERE)
        number = example_number_for_type(region, PhoneNumberType.MOBILE)
        return format_number(number, PhoneNumberFormat.E164) if number else "+12015550123"


def desk_of(guard: Guard) -> Desk | None:
    """The desk of a guard; none where its store keeps nothing of a fleet."""
    store = behind(guard.store)
    return Desk(guard, store) if isinstance(store, InspectedStore) else None


def _of_client(rule: RuleExplained) -> RuleExplained | None:
    """What a rule says of an address alone; nothing if that depends on the number."""
    mine = tuple(each for each in rule.counters if not _destined(each[0].by))
    if not mine:
        return None
    return RuleExplained(rule.name, rule.mode, rule.finding, mine)


def _destined(by: str) -> bool:
    parts = by.split("+")
    return by == "everything" or any(p in DESTINATIONS or p.startswith("prefix:") for p in parts)
