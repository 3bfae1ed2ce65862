"""A ban that its subject cannot see: the app answers as always, and nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard.rules.base import ActionName
from pumpguard.rules.sliding_ban import DAY, SlidingBan


class ShadowBan(SlidingBan):
    """From the finding that completes its strikes on, the subject meets success and no message.

    An attacker who sees a refusal moves on to the next prefix or address within seconds; one who
    does not keeps spending requests on numbers that receive nothing. A real user in the same block
    would wait for a code in vain, so keep the subject narrow: by default a block of 1,000 numbers.
    """

    by: str | Sequence[str] = "prefix:3"
    base: int = 3600
    cap: int = DAY
    action: ActionName = "shadow"
    code = "SHADOW_BANNED"
