"""What a request to the verify route teaches: whose number was verified, if anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from starlette.types import Scope

from pumpguard.attempt import Phone
from pumpguard.errors import IntakeError
from pumpguard.intake.body import AnswerCopy
from pumpguard.intake.conditions import ERROR, success_when
from pumpguard.intake.fields import Fields, field_reader
from pumpguard.intake.flow import FlowReader
from pumpguard.intake.phone import canonical

if TYPE_CHECKING:
    from pumpguard.observations import Misunderstood
    from pumpguard.policy import Policy


class Heard(NamedTuple):
    """The number or the flow that was verified, or what of it was not understood, and why."""

    phone: Phone | None = None
    flow: str | None = None
    missing: Misunderstood | None = None
    why: str = ""


class VerifyReader:
    """Reads requests to the verify route, and the app's answers."""

    def __init__(self, policy: Policy) -> None:
        self._success = success_when(policy.verified_when)
        self._refused: Misunderstood = "answer" if policy.verified_when is None else "wrong_code"
        # There, ``code`` is mostly the one-time code: a number in two parts needs a function.
        self._number = field_reader(policy.verify_phone or policy.phone)
        self._flow = None if policy.flow is None else FlowReader(policy.flow)
        # Where the policy names no region, the home ones are tried: a wrong guess teaches nothing,
        # because no message to that number is open.
        self._regions = (policy.region,) if policy.region else (None, *policy.home)

    def read(
        self, scope: Scope, body: bytes | None, parameters: Mapping[str, str], answer: AnswerCopy
    ) -> Heard:
        """What this answer to this request teaches. Raises what a policy's function raises."""
        status = answer.status
        if status is None or status >= ERROR:
            return Heard()
        if not self._success(status, answer.headers, answer.body):
            why = f"it was answered {status}, which is not what verified_when calls success"
            return Heard(missing=self._refused, why=why)
        fields = Fields(scope, body or b"", parameters)
        flow = None if self._flow is None else self._flow.of_request(fields)
        try:
            return Heard(number_of(self._number(fields), self._regions), flow)
        except IntakeError as error:
            if flow is not None:
                return Heard(None, flow)
            why = error.detail if body is not None else "its body is longer than max_body"
            return Heard(missing="number", why=why)


def number_of(number: object, regions: tuple[str | None, ...]) -> Phone:
    """The number, read as the policy reads numbers; else as one of these regions; else plain digits
    as E.164. Raises `IntakeError`."""
    found: Phone | None = None
    problem: IntakeError | None = None
    digits = number.strip() if isinstance(number, str) else ""
    readings: list[tuple[object, str | None]] = [(number, region) for region in regions]
    if digits.isascii() and digits.isdecimal() and not digits.startswith("0"):
        readings.append((f"+{digits}", None))
    for text, region in readings:
        try:
            phone = canonical(text, None, region)
        except IntakeError as error:
            problem = problem or error
            continue
        if phone.valid:
            return phone
        found = found or phone
    if found is not None:
        return found
    assert problem is not None  # noqa: S101 - for the type checker: there is one reading at least
    raise problem
