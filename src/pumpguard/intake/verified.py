"""What a request to the verify route teaches: whose number was verified, if anybody's."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from inspect import isawaitable
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
    from pumpguard.observations.hearing import Misunderstood
    from pumpguard.policy import Policy


CODE = re.compile(r"[A-Za-z0-9-]{3,12}")
"""What may be a code."""

REMEMBERED = 1_000


class VerifyResult(NamedTuple):
    """The number or the flow that was verified, or what of it was not understood, and why.

    A number without its plus may be several: the one that a message was sent to is meant.
    ``another``: by another code than the one that was right for it before.
    """

    phones: tuple[Phone, ...] = ()
    flow: str | None = None
    missing: Misunderstood | None = None
    why: str = ""
    another: bool = False


class VerifyReader:
    """Reads requests to the verify route, and the app's answers."""

    def __init__(self, policy: Policy) -> None:
        self._success = success_when(policy.verified_when)
        self._refused: Misunderstood = "answer" if policy.verified_when is None else "wrong_code"
        # There, ``code`` is mostly the one-time code: a number in two parts needs a function.
        self._number = field_reader(policy.verify_phone or policy.phone)
        self._deadline = policy.body_deadline
        self._flow = None if policy.flow is None else FlowReader(policy.flow)
        # Where the policy names no region, the home ones are tried: a wrong guess teaches nothing,
        # because no message to that number is open.
        self._regions = (policy.region,) if policy.region else (None, *policy.home)
        self._entered = Entered()

    async def read(
        self, scope: Scope, body: bytes | None, parameters: Mapping[str, str], answer: AnswerCopy
    ) -> VerifyResult:
        """What this answer to this request teaches. Raises what a policy's function raises."""
        status = answer.status
        if status is None or status >= ERROR:
            return VerifyResult()
        if not self._success(status, answer.headers, answer.body):
            why = f"it was answered {status}, which is not what verified_when calls success"
            if answer.encoding and not answer.body:
                why = f"the answer's body cannot be read ({answer.encoding}); gzip can"
                return VerifyResult(missing="answer", why=why)
            return VerifyResult(missing=self._refused, why=why)
        fields = Fields(scope, body or b"", parameters)
        flow = None if self._flow is None else self._flow.of_request(fields)
        try:
            number = self._number(fields)
            if not isinstance(number, str) and isawaitable(number):
                number = await asyncio.wait_for(number, self._deadline)
            if isinstance(number, str) and "@" in number:  # that code came by e-mail
                return VerifyResult()
            phones = numbers_of(number, self._regions)
            another = self._entered.another(flow or phones[0].e164, fields)
            return VerifyResult(phones, flow, another=another)
        except IntakeError as error:
            if flow is not None:
                return VerifyResult(flow=flow, another=self._entered.another(flow, fields))
            why = error.detail if body is not None else "its body is longer than max_body"
            return VerifyResult(missing="number", why=why)


class Entered:
    """What was last entered for a number or flow with a right code: hashes alone."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, tuple[int, int]]] = OrderedDict()

    def another(self, whose: str, fields: Fields) -> bool:
        """Whether all is as it was there the last time, but one code."""
        with suppress(IntakeError):
            now = dict(_leaves("", fields.json if fields.is_json else fields.form))
            before = self._known.pop(whose, {})
            self._known[whose] = now
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            other = [name for name in now if before.get(name) != now[name]]
            if before.keys() == now.keys() and len(other) == 1:
                return 0 < before[other[0]][1] == now[other[0]][1]
        return False


def _leaves(name: str, value: object, depth: int = 4) -> Iterator[tuple[str, tuple[int, int]]]:
    """All texts and numbers of a body: each by its place, as a hash and, of what may be a code, its
    length."""
    if depth and isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(f"{name}.{key}", each, depth - 1)
    else:
        text = str(value)
        yield name, (hash(text), len(text) if CODE.fullmatch(text) else 0)


def numbers_of(number: object, regions: tuple[str | None, ...]) -> tuple[Phone, ...]:
    """What the text may mean, the likeliest first: as it stands or as a number of the first region,
    plain digits as E.164, a number of the other regions. Invalid numbers are in it only where there
    is nothing else. Raises `IntakeError` if it is no number at all."""
    first, *others = regions
    readings: list[tuple[object, str | None]] = [(number, first)]
    digits = number.strip() if isinstance(number, str) else ""
    if digits.isascii() and digits.isdecimal() and not digits.startswith("0"):
        readings.append((f"+{digits}", None))
    if not digits.startswith("+"):
        readings += [(number, region) for region in others]
    found: dict[str, Phone] = {}
    problem: IntakeError | None = None
    for text, region in readings:
        try:
            phone = canonical(text, None, region)
        except IntakeError as error:
            problem = problem or error
        else:
            found.setdefault(phone.e164, phone)
    if problem is not None and not found:
        raise problem
    read = tuple(found.values())
    return tuple(phone for phone in read if phone.valid) or read[:1]
