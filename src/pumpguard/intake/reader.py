"""Puts an `Attempt` together from the parts of a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope

from pumpguard.attempt import NOTHING, Attempt, Client, Phone
from pumpguard.challenges.base import Challenge
from pumpguard.intake.address import (
    Address,
    TrustedProxies,
    network_of,
    parse_address,
    site_of,
    text_of,
)
from pumpguard.intake.body import read_body
from pumpguard.intake.dimensions import check_names, readings, text
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import Networks, asn_of
from pumpguard.intake.phone import canonical
from pumpguard.intake.proof import carried, check_places, proven

if TYPE_CHECKING:
    from pumpguard.policy import Policy

CLIENTS = 65536
"""How many addresses' countries and kinds are remembered."""

LONGEST_KEY = 128
NOBODY = Client()


class Reader:
    """Reads requests the way a policy says."""

    def __init__(
        self,
        policy: Policy,
        networks: Networks,
        challenge: Challenge | None,
        clock: Callable[[], float] | None,
    ) -> None:
        self._policy = policy
        self._networks = networks
        self._challenge = None if challenge is None else check_places(challenge)
        self._clock = clock or time.time
        self._prices = policy.price_table
        self._known_clients: dict[bytes, Client] = {}
        self._proxies = TrustedProxies(policy.proxies, policy.proxy_header)
        self._own = readings(policy.dimensions)

    async def read(
        self, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> tuple[Attempt, bytes]:
        """The attempt and the body it was read from. Raises `IntakeError` or `ClientGone`."""
        body = await read_body(receive, self._policy.max_body, self._policy.body_deadline)
        fields = Fields(scope, body, parameters)
        attempt = self.attempt(
            self._phone(fields),
            self._proxies.client(scope, fields.lines),
            session=self._key(fields, self._policy.session),
            account=self._key(fields, self._policy.account),
            device=self._key(fields, self._policy.device),
            extra=self._extra(fields) if self._own else NOTHING,
        )
        challenge = self._challenge
        if challenge is not None:
            said = carried(fields, challenge.carried_in, challenge.longest)
            if said is not None:
                attempt = await proven(challenge, said, attempt)
        return attempt, body

    def verified_phone(self, scope: Scope, body: bytes, parameters: Mapping[str, str]) -> Phone:
        """The number that a request to the verify route is about. Raises `IntakeError`."""
        fields = Fields(scope, body, parameters)
        where = self._policy.verify_phone or self._policy.phone
        number = where(fields) if callable(where) else fields.get(where)
        # There ``code`` is mostly the one-time code: a number in two parts needs a function.
        return canonical(number, None, self._policy.region)

    def attempt(
        self,
        phone: Phone,
        address: Address | str | None,
        *,
        session: str | None = None,
        account: str | None = None,
        device: str | None = None,
        proved: bool = False,
        extra: Mapping[str, str] = NOTHING,
        solution: str | None = None,
    ) -> Attempt:
        """The attempt that these facts make."""
        if extra:
            check_names(tuple(extra), self._policy.dimensions)
            extra = {name: bounded(value) for name, value in extra.items() if value}
        return Attempt(  # by position: names would cost a tenth more
            phone,
            self._client(address),
            self._clock(),
            self._prices.price(phone.region),
            bounded(session) if session else session,
            bounded(account) if account else account,
            bounded(device) if device else device,
            proved,
            extra,
            solution,
        )

    def _extra(self, fields: Fields) -> Mapping[str, str]:
        """The policy's own dimensions, those that this request has something to say on."""
        found = [(name, read(fields)) for name, read in self._own]
        return {name: value for name, value in found if value is not None}

    def _phone(self, fields: Fields) -> Phone:
        policy = self._policy
        if callable(policy.phone):
            return canonical(policy.phone(fields), None, policy.region)
        code = fields.get(policy.code) if policy.code else None
        return canonical(fields.get(policy.phone), code, policy.region)

    def _client(self, address: Address | str | None) -> Client:
        found = parse_address(address) if isinstance(address, str) else address
        if found is None:
            return NOBODY
        known, key = self._known_clients, found.packed
        client = known.get(key)
        if client is None:
            if len(known) >= CLIENTS:
                known.clear()
            client = known[key] = self._look_up(found)
        return client

    def _look_up(self, address: Address) -> Client:
        text = text_of(address)
        return Client(
            address=text,
            network=f"{text}/32" if address.version == 4 else network_of(address),
            site=site_of(address),
            country=self._networks.country(address),
            kind=self._networks.kind(address),
            asn=asn_of(self._networks, address),
        )

    def _key(self, fields: Fields, field: str | None) -> str | None:
        """A session, account or device."""
        return text(fields.get(field)) if field else None


def bounded(key: str) -> str:
    """The text itself, or its hash if it is long or not fit to be shown."""
    if len(key) <= LONGEST_KEY and key.isprintable():
        return key
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
