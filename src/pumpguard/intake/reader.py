"""Puts an `Attempt` together from the parts of a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope

from pumpguard.attempt import Attempt, Client, Phone
from pumpguard.challenge import Challenge
from pumpguard.errors import IntakeError
from pumpguard.intake.address import (
    Address,
    TrustedProxies,
    network_of,
    parse_address,
    site_of,
    text_of,
)
from pumpguard.intake.body import read_body
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import Networks
from pumpguard.intake.phone import canonical

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
        self._challenge = challenge
        self._clock = clock or time.time
        self._prices = policy.price_table
        self._known_clients: dict[bytes, Client] = {}
        self._proxies = TrustedProxies(policy.proxies, policy.proxy_header)

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
            proved=self._challenge is not None and self._challenge.solved(fields.headers),
        )
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
    ) -> Attempt:
        """The attempt that these facts make."""
        return Attempt(
            phone=phone,
            client=self._client(address),
            at=self._clock(),
            price=self._prices.price(phone.region),
            session=bounded(session) if session else session,
            account=bounded(account) if account else account,
            device=bounded(device) if device else device,
            proved=proved,
        )

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
        return Client(
            address=text_of(address),
            network=network_of(address),
            site=site_of(address),
            country=self._networks.country(address),
            kind=self._networks.kind(address),
        )

    def _key(self, fields: Fields, field: str | None) -> str | None:
        """A session, account or device: any text, or a whole number."""
        value = fields.get(field) if field else None
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            detail = "A value that identifies the request is neither text nor a whole number."
            raise IntakeError(400, "bad-request", "Bad request", detail)
        return str(value)


def bounded(text: str | None) -> str | None:
    """The text itself, or its hash if it is long or not fit to be shown."""
    if text is None or (len(text) <= LONGEST_KEY and text.isprintable()):
        return text
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
