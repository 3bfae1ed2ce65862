"""How long real sends take, and how often they fail, so that a shadow does the same."""

from __future__ import annotations

import asyncio
import math
import os
import random
import statistics
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

PRIOR_MEDIAN, PRIOR_SIGMA = 0.15, 0.4
"""Seconds, and the spread of their logarithm: a call to a provider's API over the internet, until
a real send was seen. Nobody publishes figures; this is an assumption, and `LatencyModel` takes
another."""

ENOUGH = 16
"""Real sends to draw from; with fewer, their median and the prior's spread are taken."""

KEPT = 128
"""The newest sends are drawn from, and no more: a provider that is slow right now is slow to
everybody, and one stall of this process must not be drawn again for long."""

OWN_ENOUGH, COUNTRIES = 96, 64
"""A country with 96 sends or more is drawn from those alone; so many countries are kept. With
fewer sends, those of all countries are the better guess (measured in docs/shadow.md)."""

SHORTEST = 1e-6
FURTHEST = 0.4
"""How far, in logarithms, a draw may lie from the send that it was drawn from."""

LATENESS_STEP, MAX_LATENESS = 2e-5, 0.003
"""Seconds by which the estimate of a timer's lateness changes each time, and its largest value."""

_chance = random.SystemRandom()  # a seeded one could be foreseen by whoever sees enough of it


class SendTiming(NamedTuple):
    """One real send: its seconds, and how it failed if it did."""

    seconds: float
    failure: BaseException | None = None


class LatencyModel:
    """The recent sends of one sender, in this process.

    ``prior`` are the median in seconds and the spread of the logarithm that are taken while no
    real send has been seen.
    """

    def __init__(self, prior: tuple[float, float] = (PRIOR_MEDIAN, PRIOR_SIGMA)) -> None:
        self.prior = prior
        self._all: deque[SendTiming] = deque(maxlen=KEPT)
        self._of: OrderedDict[str, deque[SendTiming]] = OrderedDict()

    def add(
        self, seconds: float, country: str | None, failure: BaseException | None = None
    ) -> None:
        """Learn from a real send to a phone of this country (ISO 3166)."""
        timing = SendTiming(max(seconds, SHORTEST), failure and _again(failure))
        self._all.append(timing)
        if country is not None:
            own = self._of.pop(country, None) or deque(maxlen=KEPT)
            if len(self._of) >= COUNTRIES:
                self._of.popitem(last=False)
            self._of[country] = own
            own.append(timing)

    def draw(self, country: str | None) -> SendTiming:
        """A random timing as real sends to this country have them, failures included."""
        own = self._of.get(country, ()) if country is not None else ()
        seen = list(own if len(own) >= OWN_ENOUGH else self._all)
        if len(seen) < ENOUGH:
            return SendTiming(self._guess(seen))
        one = _chance.choice(seen)
        alike = [send.seconds for send in seen if type(send.failure) is type(one.failure)]
        return SendTiming(_near(one.seconds, alike), one.failure and _again(one.failure))

    def _guess(self, seen: Sequence[SendTiming]) -> float:
        median, sigma = self.prior
        if seen:
            median = statistics.median(send.seconds for send in seen)
        return median * math.exp(_chance.gauss(0, sigma))


def _near(seconds: float, among: Sequence[float]) -> float:
    """A time close to one that was seen, but never the same: a few exact values that come back
    would be recognised. Mean and spread of the logarithms stay what they are (a shrunken kernel,
    Silverman 1986, section 6.4)."""
    logs = [math.log(each) for each in among]
    mean, spread = statistics.fmean(logs), statistics.pstdev(logs)
    width = 0.5 * len(logs) ** -0.2
    aside = min(max(width * spread * _chance.gauss(0, 1), -FURTHEST), FURTHEST)
    return math.exp(mean + (math.log(seconds) - mean + aside) / math.sqrt(1 + width**2))


def _again(error: BaseException) -> BaseException:
    """A new error of the same type, without the message and data of the first: they may be about
    somebody."""
    kind = type(error)
    if isinstance(error, OSError) and error.errno is not None:
        try:
            return kind(error.errno, os.strerror(error.errno))
        except TypeError:  # an error of somebody's with arguments of its own
            pass
    new = kind.__new__(kind)
    new.args = ()
    return new


class PreciseSleep:
    """Sleeps until a moment, less late than timers are.

    Timers of an event loop fire up to a millisecond late, and later under load; answers from a
    network do not. So each sleep is shortened by the median lateness of the sleeps before it. That
    median is followed in small steps, so that one long stall does not shorten the next sleep much.
    """

    def __init__(self) -> None:
        self._late = 0.0

    async def until(self, moment: float) -> None:
        """Await this moment of `time.perf_counter`."""
        await asyncio.sleep(max(0.0, moment - time.perf_counter() - self._late))
        missed = time.perf_counter() > moment
        late = self._late + (LATENESS_STEP if missed else -LATENESS_STEP)
        self._late = min(max(0.0, late), MAX_LATENESS)

    @staticmethod
    def block_until(moment: float) -> None:
        """Sleep to this moment in a thread."""
        time.sleep(max(0.0, moment - time.perf_counter()))
