"""A number's risk from a look-up over HTTP, such as Twilio's."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pumpguard.attempt import Attempt
from pumpguard.config import require
from pumpguard.external import ExternalService, Unavailable, is_safe

if TYPE_CHECKING:
    import httpx

TWILIO = "https://lookups.twilio.com/v2/PhoneNumbers/{phone}?Fields=sms_pumping_risk"
TWILIO_FIELD = "sms_pumping_risk.sms_pumping_risk_score"

BANDS: Mapping[float, float] = MappingProxyType({0: 0.75, 60: 1.0, 75: 1.5, 90: 4.0})
"""Factors from scores on: Twilio's are 0 (no risk) to 100, and 61 is a "moderate" carrier. Who
uses it in public code calls 75 to 90 suspicious and does not send from 90 on; the factors are ours:
4 makes any grey request high, 0.75 makes the lower half of the grey zone low."""

NO_WORDS: Mapping[str, float] = MappingProxyType({})

FREE: Mapping[str, Mapping[object, float]] = MappingProxyType({
    "valid": {False: 4.0},
    "sms_pumping_risk.number_blocked": {True: 4.0},
    "sms_pumping_risk.number_blocked_last_3_months": {True: 1.5},
    "sms_pumping_risk.carrier_risk_category": {"high": 1.5},
})  # fmt: skip
"""What Twilio's answer says besides, at no other price, and factors of ours for it. ``valid`` comes
without a package too: https://www.twilio.com/docs/lookup/v2-api (read on 2026-11-27)."""

MAX_KNOWN = 10_000

OUTAGE = "PG036 look-ups fail (%s); for %d s requests are judged without them"

HOUR, DAY = 3_600, 86_400
HOURLY_DIVISOR = 6
"""An hour may ask a sixth of a day's questions, so that a flood does not leave the day blind."""


class LookupScore:
    """Asks ``url`` with the number at ``{phone}`` and reads the score at ``field`` of the JSON.

    The defaults are Twilio's Lookup; ``auth`` is (account SID, auth token). ``bands`` maps scores
    to factors, each from its score on; ``words`` those of a service that answers in words;
    ``facts`` the values of other fields, by default Twilio's (`FREE`): the strictest of all counts.
    With a ``body`` it is posted, as JSON or with ``form`` as a form: in its texts ``{phone}`` and
    ``{address}`` are replaced, and what would be an unknown address is left out. In ``url`` the
    number may be ``{digits}``, without its plus. An answer is remembered for ``remember`` seconds.
    Ready for some services: `pumpguard.scores.services`.

    It costs at most ``daily_budget`` USD in 24 hours, per process, at ``price`` a look-up, with a
    sixth of it in any hour; and at most ``deadline`` seconds of a request's time. After three
    faults in a row it is left alone for half a minute. Without an answer the request is
    judged by the rest: nobody is ever refused for a look-up that did not answer.

    It gives telephone numbers to the service: say so where you say what you do with them. Needs the
    ``[lookup]`` extra. Raises `PolicyError`.
    """

    def __init__(
        self,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        url: str = TWILIO,
        field: str = TWILIO_FIELD,
        bands: Mapping[float, float] = BANDS,
        words: Mapping[str, float] = NO_WORDS,
        facts: Mapping[str, Mapping[object, float]] | None = None,
        body: Mapping[str, Any] | None = None,
        form: bool = False,
        price: float = 0.035,
        daily_budget: float = 5.0,
        deadline: float = 0.3,
        remember: float = DAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        where = "an https:// address with '{phone}' in it, or in the body"
        named = "{digits}" in url or "{phone}" in url + json.dumps(body)
        require(named and is_safe(url), "score.url", where, url)
        right = (bands or words) and all(0 < factor < inf for factor in bands.values())
        require(right, "score.bands", "factors above 0 by score", dict(bands))
        told = [*words.values(), *(f for each in (facts or {}).values() for f in each.values())]
        require(all(0 < f < inf for f in told), "score.words", "factors above 0 by word", told)
        require(0 < price < inf, "score.price", "USD above 0", price)
        enough = price <= daily_budget < inf
        require(enough, "score.daily_budget", "USD for at least one look-up", daily_budget)
        require(0 < deadline < inf, "score.deadline", "seconds above 0", deadline)
        self._url, self._field = url, field
        self._bands, self._words = sorted(bands.items(), reverse=True), dict(words)
        self._facts = facts if facts is not None else FREE if url == TWILIO else {}
        self._body, self._form = body, form
        self._remember, self._clock = remember, clock
        self._allowance = Allowance(int(daily_budget / price + 1e-9), clock)
        self._known: dict[str, tuple[float | None, float]] = {}
        self._service = ExternalService(
            deadline, clock, OUTAGE, auth=auth, headers=dict(headers or {})
        )

    async def score(self, attempt: Attempt) -> float | None:
        phone, now = attempt.phone.e164, self._clock()
        factor, until = self._known.get(phone, (None, -inf))
        if now < until:
            return factor
        if self._service.is_paused or not self._allowance.take():
            return None
        try:
            factor = await self._service.ask(partial(self._look_up, attempt))
        except Unavailable:
            return None
        self._known[phone] = factor, self._clock() + self._remember
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return factor

    async def aclose(self) -> None:
        await self._service.aclose()

    async def _look_up(self, attempt: Attempt, client: httpx.AsyncClient) -> float | None:
        """The factor; ``None`` if the service does not know the number."""
        phone = attempt.phone.e164
        url = self._url.replace("{phone}", quote(phone, safe="")).replace("{digits}", phone[1:])
        if self._body is None:
            response = await client.get(url)
        else:
            body = _filled(self._body, {"{phone}": phone, "{address}": attempt.client.address})
            content = {"data": body} if self._form else {"json": body}
            response = await client.post(url, **content)
        if response.status_code == 404:
            return None
        response.raise_for_status()
        answer = response.json()
        said = [self._factor(_field(answer, self._field))]
        said += [known.get(_field(answer, path)) for path, known in self._facts.items()]
        return max((factor for factor in said if factor is not None), default=None)

    def _factor(self, value: Any) -> float | None:
        """That of a score or a word; ``None`` if there is none."""
        if value is None:
            return None
        if isinstance(value, str) and value in self._words:
            return self._words[value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{self._field} is neither a number nor one of the words")
        return next((factor for score, factor in self._bands if value >= score), 1.0)


def _field(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, str | int | float | None) else str(answer)


def _filled(value: Any, known: Mapping[str, str | None]) -> Any:
    """The body with what is known in its places; what is unknown is left out."""
    if isinstance(value, Mapping):
        filled = {name: _filled(each, known) for name, each in value.items()}
        return {name: each for name, each in filled.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_filled(each, known) for each in value]
    return known.get(value, value) if isinstance(value, str) else value


class Allowance:
    """At most ``per_day`` in any 24 hours, and a sixth of them in any hour."""

    def __init__(self, per_day: int, clock: Callable[[], float]) -> None:
        self._taken: deque[float] = deque(maxlen=per_day)
        self._per_day = per_day
        self._per_hour = max(1, per_day // HOURLY_DIVISOR)
        self._clock = clock

    def take(self) -> bool:
        """Take one, if there is one left."""
        now, taken = self._clock(), self._taken
        for limit, seconds in ((self._per_hour, HOUR), (self._per_day, DAY)):
            if len(taken) >= limit and now - taken[-limit] < seconds:
                return False
        taken.append(now)
        return True
