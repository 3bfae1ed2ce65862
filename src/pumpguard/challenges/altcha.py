"""Proof of work that the app poses and checks itself: ALTCHA, without a third party."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from pumpguard.attempt import Attempt
from pumpguard.challenges.base import HEADER, Challenge, Solution
from pumpguard.decision import Decision
from pumpguard.errors import PolicyError

if TYPE_CHECKING:
    from altcha import Payload

    from pumpguard.policy import Policy

ALGORITHM = "PBKDF2/SHA-256"
COST = 250
"""Iterations per try: enough that a browser's own overhead for a try is the smaller part, few
enough that posing and checking cost this process about as much as the rest of a decision."""

TRIES, MAX_TRIES = 32_000, 128_000
"""Tries, of which half are needed on average. One core of a busy two-core server made 20,000 a
second in Chromium 156 (52 µs a try), so 0.8 to 3.2 s, less with every further core. Phones were not
at hand: expect slower cores, and more of them."""

DEAR = 0.05
"""USD. A message that costs twice as much is asked for with twice the work."""

SHORTEST_SECRET = 16

PARAMETERS = frozenset(
    {"algorithm", "cost", "keyLength", "keyPrefix", "keySignature", "nonce", "salt", "data"}
)
SOLUTION = frozenset({"counter", "derivedKey"})
TIMED = SOLUTION | {"time"}
"""Solvers may say how long it took, in ms; it means nothing here."""


class Altcha(Challenge):
    """Asks for some seconds of a device's time, more for doubtful and for dear requests.

    It prices requests and proves no person: read ``docs/challenges.md`` before you rely on it.

    A challenge is made for one number, one network and one policy, and is good for ``lifetime``
    seconds; the guard lets its solution through once. Up to ``tries`` tries are asked for, doubled
    as risk score times price over 5 US cents doubles, up to ``max_tries``; nothing in the challenge
    tells how many. ``secret`` signs it (at least 16 characters, by default the policy's); every
    process needs the same. ``clock`` is the app's, where time is simulated.

    The reply's ``challenge`` is ``{"kind": "altcha", "challenge": …}``, the latter as ALTCHA's
    widget takes it; what that makes of it comes back in the header ``X-Challenge-Solution`` or the
    field ``altcha``. Needs the ``[altcha]`` extra. Raises `PolicyError`.
    """

    carried_in = (HEADER, "altcha")

    def __init__(
        self,
        policy: Policy,
        *,
        secret: str | None = None,
        tries: int = TRIES,
        max_tries: int = MAX_TRIES,
        lifetime: int = 300,
        clock: Callable[[], float] = time.time,
    ) -> None:
        import altcha

        secret = policy.secret if secret is None else secret
        if len(secret) < SHORTEST_SECRET:  # what it signed is in strangers' hands, to guess it by
            raise PolicyError("secret", f"at least {SHORTEST_SECRET} characters to sign with")
        if not 0 < tries <= max_tries < 2**32:
            raise PolicyError("challenge.tries", "above 0, and at most 'max_tries'", tries)
        self._altcha = altcha
        self._signing, self._sealing, self._binding = (
            blake2b(secret.encode(), person=person).digest()
            for person in (b"pumpguard sign", b"pumpguard seal", b"pumpguard bind")
        )
        self._policy = policy.name
        self._dearest = policy.price_table.unknown
        self._tries, self._max_tries = tries, max_tries
        self.lifetime = lifetime
        self._clock = clock

    def pose(self, decision: Decision) -> Mapping[str, object]:
        until = int(self._clock()) + self.lifetime
        challenge = self._altcha.create_challenge(
            ALGORITHM,
            COST,
            # One of so many is right, and all are as likely: nobody is unlucky for long.
            counter=secrets.randbelow(self.tries(decision.score, decision.attempt.price)),
            data={"for": self._bound(decision.attempt), "until": until},
            hmac_secret=self._signing,
            hmac_key_secret=self._sealing,
        )
        return {"kind": "altcha", "challenge": challenge.to_dict()}

    def tries(self, score: float, price: float | None) -> int:
        """The most tries that a risk score and a price in USD ask for."""
        price = self._dearest if price is None else price
        worth, tries = score * price / DEAR, self._tries
        while worth >= 2 and tries * 2 <= self._max_tries:
            worth, tries = worth / 2, tries * 2
        return tries

    def solved(self, said: str, attempt: Attempt) -> Solution | bool:
        payload = _parsed(said)
        if payload is None or not self._is_for(attempt, payload.challenge.parameters.data):
            return False
        signed = self._altcha.verify_solution(
            payload, self._signing, hmac_key_secret=self._sealing
        ).verified
        if not signed or not self._derives(payload):
            return False
        return Solution(payload.challenge.parameters.nonce)

    def _is_for(self, attempt: Attempt, data: object) -> bool:
        """Whether it was made for this attempt and is in time; cheaper than the signature."""
        match data:
            case {"for": str(bound), "until": int(until), **others} if not others:
                ours = compare_digest(bound.encode(), self._bound(attempt).encode())
                return ours and self._clock() < until
        return False

    def _derives(self, payload: Payload) -> bool:
        """Whether the key is that of the counter. That it is the right key is known by now, so this
        is computed for work that was done and for no other."""
        parameters, solution = payload.challenge.parameters, payload.solution
        # 250.0 is signed as 250 is, and would be refused by the hash.
        if not type(parameters.cost) is type(parameters.key_length) is int:
            return False
        if type(solution.counter) is not int or not 0 <= solution.counter < 2**32:
            return False
        password = bytes.fromhex(parameters.nonce) + solution.counter.to_bytes(4)
        key = self._altcha.derive_key_pbkdf2(parameters, bytes.fromhex(parameters.salt), password)
        return bool(key.hex() == solution.derived_key)

    def _bound(self, attempt: Attempt) -> str:
        about = repr((self._policy, attempt.phone.e164, attempt.client.network))
        return blake2b(about.encode(), digest_size=16, key=self._binding).hexdigest()


def _parsed(text: str) -> Payload | None:
    """A solved challenge: base64 of compact JSON; ``None`` unless spelt as every solver does.

    The library would take other spellings of the same: padding bits, blanks, unknown or repeated
    members. Whoever checks signatures should not be generous about what they cover.
    """
    from altcha import Payload

    try:
        raw = b64decode(text, validate=True)
        members: Any = json.loads(raw)
        compact = json.dumps(members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        if b64encode(raw) != text.encode() or compact != raw.decode():
            return None
        known = (
            members.keys() == {"challenge", "solution"}
            and members["challenge"].keys() == {"parameters", "signature"}
            and members["challenge"]["parameters"].keys() == PARAMETERS
            and members["solution"].keys() in (SOLUTION, TIMED)
        )
        return Payload.from_dict(members) if known else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
