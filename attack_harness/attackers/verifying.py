"""Bots that own the numbers they ask for: they read the codes and enter them, as people would."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..actors import Actor, Call, Start, Wait, draws
from ..clock import MIDNIGHT
from .base import SOLVING_TAKES, Attack, Shot, call

FIRST_LOOK = 7.0
ENTRY_MEDIAN, ENTRY_SIGMA = 13.5, 0.9
"""People take 13.5 s in the median to enter a code; who imitates them does too."""

_CODE = re.compile(r"\b\d{4,8}\b")


@dataclass(frozen=True)
class VerifyingAttack(Attack):
    """An attack of which a share of the codes is entered.

    Every number is asked for ``sends`` times, ``pause`` seconds apart, as long as nothing is
    refused for good.
    """

    seed: int = 0
    verified: float = 1.0
    sends: int = 1
    pause: float = 62.0

    def actors(self) -> Iterator[Start]:
        """One bot per planned number."""
        for number, shot in enumerate(self.shots):
            rng = draws(self.seed, f"{self.name}:bot", number)
            at = MIDNIGHT + self.starts + shot.after
            yield Start(at, self.name, _bot(self, shot, rng))


def _bot(attack: VerifyingAttack, shot: Shot, rng: random.Random) -> Actor:
    enters = rng.random() < attack.verified
    for again in range(attack.sends):
        if again:
            yield Wait(attack.pause + rng.uniform(0, 5))
        send = call(shot)
        reply = yield send
        if reply.challenged and attack.buys_solutions:
            yield Wait(rng.uniform(*SOLVING_TAKES))
            reply = yield send._replace(human=True)
        if not reply.sent:
            return
        if enters:
            yield Wait(FIRST_LOOK + rng.lognormvariate(math.log(ENTRY_MEDIAN), ENTRY_SIGMA))
            inbox = yield Call("GET", f"/sim/inbox/{shot.phone}")
            messages = inbox.json.get("messages") or []
            found = _CODE.search(str(messages[-1]["text"])) if messages else None
            if found:
                code = {"phone": shot.phone, "code": found.group()}
                yield Call("POST", "/otp/verify", code, shot.address)
