"""What a policy says of reading requests, checked before there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpguard.config import require, require_arguments, require_plain
from pumpguard.errors import PolicyError
from pumpguard.intake.address import TrustedProxies
from pumpguard.intake.conditions import SentWhen, condition, success_when
from pumpguard.intake.dimensions import check_dimensions
from pumpguard.intake.fields import check_field
from pumpguard.intake.flow import check_flow
from pumpguard.intake.routes import Routes

if TYPE_CHECKING:
    from pumpguard.policy import Policy

FIELDS = ("phone", "code", "client", "session", "account", "device", "verify_phone")
FUNCTIONS = ("when", "sent_when", "parts")
PATH = "path:"

MOST_PARTS = 10
"""Of one message. A text of 1,530 characters has ten (GSM 03.38: 153 characters in each)."""


def check_intake(policy: Policy) -> None:
    """Raise `PolicyError` for a setting that no request could fit, or that means two things."""
    sends = Routes(policy.send)
    verify = None if policy.verify is None else Routes(policy.verify, "verify")
    if verify is not None and sends.shares(verify):
        expected = "beside a route of both send and verify, what a right code is answered with"
        require(policy.verified_when, "verified_when", expected, policy.verified_when)
        apart = policy.when is not None or policy.phone_optional
        require(apart, "when", "beside such a route, which requests send a message", policy.when)
    for name in ("verified_when", "flow"):
        value, expected = getattr(policy, name), "nothing, or verify= beside it"
        require(verify or value is None, name, expected, value)
    # Whoever does not await it takes what it returns for true.
    require_plain(**{name: getattr(policy, name) for name in FUNCTIONS})
    require_plain(3, verified_when=policy.verified_when)
    require_plain(**{f"dimensions.{name}": read for name, read in policy.dimensions.items()})
    success_when(policy.verified_when)
    if policy.flow is not None:
        check_flow(policy.flow)
    for name in FIELDS:
        where = getattr(policy, name)
        if callable(where):  # also a coroutine function, which the reader awaits
            require_arguments(name, where, 1, "a function of 1 argument")
        elif where is not None or name == "phone":
            check_field(where, name)
            asked = verify if name == "verify_phone" and verify else sends
            _check_parameter(where, name, asked)
    expected = "nothing, or beside proxies= that name who may say it"
    require(policy.proxies or policy.client is None, "client", expected, policy.client)
    if policy.when is not None:
        condition(policy.when)
    check_dimensions(policy.dimensions)
    TrustedProxies(policy.proxies, policy.proxy_header)
    SentWhen(policy.sent_when)


def check_parts(parts: object) -> int:
    """The number of parts that a message is billed as. Raises `PolicyError`."""
    if not isinstance(parts, int) or isinstance(parts, bool) or not 1 <= parts <= MOST_PARTS:
        raise PolicyError("parts", f"a whole number from 1 to {MOST_PARTS}", parts)
    return parts


def _check_parameter(field: str, name: str, routes: Routes) -> None:
    parameter = field.removeprefix(PATH)
    if parameter != field:
        known = [each for route in routes.routes for each in route.pattern.groupindex]
        expected = f"a parameter of {routes.where} ({', '.join(known) or 'it has none'})"
        require(parameter in known, name, expected, field)
