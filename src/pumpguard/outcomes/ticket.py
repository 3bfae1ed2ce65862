"""A ticket: what an app hands back to say what became of a message."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from pumpguard.attempt import Attempt, Client
from pumpguard.errors import IntakeError, TicketError
from pumpguard.intake.phone import canonical


@dataclass(frozen=True, slots=True)
class Ticket:
    """A message that was let through: its reservation, and whom it was counted for.

    As text it may travel through a job queue to another process. It holds the telephone number and
    the client's network: handle it as the personal data that it is, and show it to nobody.
    """

    reservation: bytes
    attempt: Attempt

    def __str__(self) -> str:
        attempt = self.attempt
        client = attempt.client
        facts: list[object] = [
            self.reservation.hex(), attempt.phone.e164, client.network, client.site,
            client.country, attempt.session, attempt.account, attempt.device,
        ]  # fmt: skip
        if client.asn is not None or attempt.extra:
            facts += [client.asn, dict(attempt.extra)]
        return base64.urlsafe_b64encode(json.dumps(facts).encode()).decode()

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Read a ticket's text. Raises `TicketError`."""
        try:
            reservation, phone, network, site, country, *keys = _facts(text)
            session, account, device, asn, extra = keys if len(keys) == 5 else [*keys, None, {}]
            return cls(
                bytes.fromhex(reservation),
                Attempt(
                    canonical(phone),
                    Client(network=network, site=site, country=country, asn=asn),
                    session=session,
                    account=account,
                    device=device,
                    extra=dict(extra),
                ),
            )
        except (ValueError, TypeError, IntakeError):
            raise TicketError("this is no ticket of a decision") from None


def _facts(text: str) -> list[Any]:
    try:
        facts = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(text) from error
    if not isinstance(facts, list):
        raise TypeError(text)
    return facts
