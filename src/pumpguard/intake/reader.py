"""Puts an `Attempt` together from the parts of a request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from starlette.types import Receive, Scope

from pumpguard.attempt import NOTHING, Attempt, Client, NetworkKind, Phone, bounded
from pumpguard.challenges.base import Challenge, Solution
from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.address import (
    Address,
    TrustedProxies,
    network_of,
    parse_address,
    site_of,
    text_of,
)
from pumpguard.intake.body import read_body
from pumpguard.intake.conditions import condition
from pumpguard.intake.dimensions import dimension_readers, key_text
from pumpguard.intake.fields import Fields, field_reader
from pumpguard.intake.network import Networks, asn_of
from pumpguard.intake.phone import canonical
from pumpguard.intake.settings import check_parts
from pumpguard.intake.solution import checked, solution_in
from pumpguard.notices import Notices
from pumpguard.turns import BEGUN, Pace

if TYPE_CHECKING:
    from pumpguard.policy import Policy

T = TypeVar("T")

CLIENTS = 65536
"""How many clients are cached by address: their country and kind are slow to look up."""

MAX_NUMBERS = 20
"""Of one request. Each is decided about for itself."""
MAX_CLIENT_AGE = 600.0
"""Seconds after which a client is looked up again, at the latest."""

KEYS = ("session", "account", "device")


class Reader:
    """Reads requests the way a policy says."""

    def __init__(
        self,
        policy: Policy,
        networks: Networks,
        challenge: Challenge | None,
        clock: Callable[[], float] | None,
        notices: Notices,
    ) -> None:
        self._policy, self._notices = policy, notices
        self.failed_look_ups = 0
        self._challenge = None if challenge is None else checked(challenge)
        self._clock = clock or time.time
        self._paces: WeakKeyDictionary[asyncio.AbstractEventLoop, Pace] = WeakKeyDictionary()
        self._usd, self._unknown_usd = policy.price_table.usd, policy.price_table.unknown
        self._parts = policy.parts if callable(policy.parts) else None
        self._client = lru_cache(CLIENTS)(self._look_up)
        self.proxies = TrustedProxies(policy.proxies, policy.proxy_header)
        self._networks, self._asn, self._client_field = networks, asn_of(networks), policy.client
        code = None if callable(policy.phone) else policy.code  # a function gives all of it
        self._phone = field_reader(policy.phone, in_lists=True)
        self._code = field_reader(code, in_lists=True) if code else None
        self._when = None if policy.when is None else condition(policy.when)
        keys = [(name, getattr(policy, name)) for name in KEYS]
        self._keys = [(name, field_reader(field)) for name, field in keys if field]
        self._own = dimension_readers(policy.dimensions)
        self.looks_for = tuple(name for name, _ in (*self._keys, *self._own))

    async def read(
        self, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> tuple[list[Attempt], bytes]:
        """The attempts, one per number, and the body that they were read from.

        There are none where the policy says that such a request sends nothing. Raises `IntakeError`
        or `ClientGone`.
        """
        loop = asyncio.get_running_loop()
        pace = self._paces.get(loop) or self._paces.setdefault(loop, Pace())
        if pace.waiting or len(pace.begun) >= BEGUN:
            await pace.wait()
        if not pace.begun:
            loop.call_soon(pace.begun.clear)
        pace.begun.append(None)
        body = await read_body(receive, self._policy.max_body, self._policy.body_deadline)
        fields = Fields(scope, body, parameters)
        if self._when is not None and not self._when(fields):
            return [], body
        number = self._phone(fields)
        if not isinstance(number, str) and isawaitable(number):
            number = await asyncio.wait_for(number, self._policy.body_deadline)
        if not (phones := self._phones(fields, number)):
            return [], body
        address = self.address(scope) if self._client_field is None else self._stated(fields)
        facts: dict[str, Any] = {}
        for name, read in self._keys:
            facts[name] = key_text(read(fields))
        if self._own:
            found = [(name, read(fields)) for name, read in self._own]
            facts["extra"] = {name: value for name, value in found if value is not None}
        if self._parts is not None:
            facts["parts"] = check_parts(self._parts(fields))
        attempts = []
        for phone in phones:
            attempt = self.attempt(phone, address, **facts)
            if self._challenge is not None:
                attempt = await self._with_proof(self._challenge, fields, attempt)
            attempts.append(attempt)
        return attempts, body

    async def given(
        self, fields: Fields, number: object, facts: Mapping[str, Any]
    ) -> list[Attempt]:
        """The attempt about a number that somebody else has read, and none without one."""
        if self._policy.phone_optional and number in NO_NUMBER:
            return []
        policy = self._policy
        phone = canonical(number, None, policy.region, policy.plain_digits)
        attempt = self.attempt(phone, self._stated(fields), **facts)
        if self._challenge is not None:
            attempt = await self._with_proof(self._challenge, fields, attempt)
        return [attempt]

    def address(self, scope: Scope) -> Address | str | None:
        """The client's, as far as it is believed."""
        if self._policy.proxies:
            return self.proxies.client(scope)
        return (scope.get("client") or (None,))[0]

    def _stated(self, fields: Fields) -> Address | str | None:
        """The address of the person for whom one of our own servers asks, as that says it; whoever
        else asks, asks for himself. Unknown if such a server does not say it."""
        asking, field = self.address(fields.scope), self._client_field
        if field is None or not self.proxies.names("" if asking is None else str(asking)):
            return asking
        said = fields.get(field) if fields.can_have(field) else None
        return parse_address(said) if isinstance(said, str) else None

    def _phones(self, fields: Fields, number: object) -> list[Phone]:
        policy = self._policy
        if policy.phone_optional and number in NO_NUMBER:
            return []
        code = self._code(fields) if self._code else None
        if not isinstance(number, list):
            return [canonical(number, code, policy.region, policy.plain_digits)]
        numbers = _flat(number)
        codes = _flat(code) if isinstance(code, list) else [code] * len(numbers)
        if not len(codes) == len(numbers) <= MAX_NUMBERS:
            detail = f"A request has at most {MAX_NUMBERS} numbers, and a calling code for each."
            raise IntakeError(422, "phone-number", "Too many telephone numbers", detail)
        pairs = list(zip(numbers, codes, strict=True))
        if policy.phone_optional:
            pairs = [pair for pair in pairs if pair[0] not in NO_NUMBER]
        elif not pairs:
            pairs = [(None, None)]
        return [self.phone(number, code) for number, code in pairs]

    def phone(self, number: object, code: object = None) -> Phone:
        """A number as this policy reads it. Raises `IntakeError`."""
        return canonical(number, code, self._policy.region, self._policy.plain_digits)

    def attempt(
        self,
        phone: Phone,
        address: Address | str | None,
        *,
        extra: Mapping[str, str] = NOTHING,
        parts: int = 1,
        **facts: Any,
    ) -> Attempt:
        """The attempt that these facts make, which are those of an `Attempt` after its price;
        ``parts`` where the policy does not know of how many it is billed."""
        if extra:
            own = self._policy.dimensions
            for name in extra.keys() - own.keys():
                expected = f"one of the policy's own dimensions ({', '.join(own) or 'none'})"
                raise PolicyError(f"extra.{name}", expected, name)
            extra = {name: bounded(value) for name, value in extra.items() if value}
        for name in KEYS if facts else ():
            if facts.get(name):
                facts[name] = bounded(facts[name])
        now = self._clock()
        client = self._client(address, now // MAX_CLIENT_AGE)
        price = self._usd.get(phone.region or "", self._unknown_usd)
        return Attempt(phone, client, now, price * parts, extra=extra, **facts)

    def _look_up(self, given: Address | str | None, _: float) -> Client:
        address = parse_address(given) if isinstance(given, str) else given
        if address is None:
            return Client()
        kind: NetworkKind = self._found(self._networks.kind, address, "unknown")
        # A relay's users are not where its addresses are assigned.
        country = self._networks.country if kind != "relay" else _nowhere
        return Client(
            address=text_of(address),
            network=network_of(address),
            site=site_of(address),
            country=self._found(country, address, None),
            kind=kind,
            asn=None if self._asn is None else self._found(self._asn, address, None),
        )

    def _found(self, look_up: Callable[[Address], T], address: Address, unknown: T) -> T:
        """What is known of an address; a look-up that raises knows nothing, and refuses nobody."""
        try:
            return look_up(address)
        except Exception as error:
            self.failed_look_ups += 1
            name = type(error).__name__  # its text may have the address
            text = "%d look-ups of client addresses have failed so far, the last with %s; such "
            text += "addresses count as unknown"
            self._notices.say("PG085", "networks", text, self.failed_look_ups, name)
            return unknown

    async def _with_proof(self, challenge: Challenge, fields: Fields, attempt: Attempt) -> Attempt:
        """The attempt, with what the solution in the request proves, if there is one."""
        text = solution_in(fields, challenge)
        if text is None:
            return attempt
        try:
            answer = challenge.solved(text, attempt)
            if isinstance(answer, Awaitable):
                answer = await answer
        except Exception:
            text = "could not check a challenge; such requests count as unsolved"
            self._notices.say("PG037", "challenge", text, level=logging.ERROR, exc_info=True)
            return attempt
        if isinstance(answer, Solution):
            return replace(attempt, proved=True, solution=answer.id)
        return replace(attempt, proved=True) if answer is True else attempt


def _nowhere(_: Address) -> None:
    return None


NO_NUMBER: tuple[object, ...] = (None, "", [])


def _flat(values: list[object]) -> list[object]:
    """The values of a list and of the lists in it."""
    found: list[object] = []
    for value in values:
        found += _flat(value) if isinstance(value, list) else [value]
    return found
