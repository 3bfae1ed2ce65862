"""Answers as numbers: everything that a patient attacker could look at."""

from __future__ import annotations

import math
import re
import statistics
import zlib
from collections import Counter
from collections.abc import Sequence

from .session import Session
from .wire import Seen

Features = dict[str, float]

TOKEN = re.compile(r"[A-Za-z0-9_-]+")
HASHED = 256


def of_exchange(session: Session, nth: int) -> Features:
    """One send of a session, as if it were all that was seen."""
    seen = session.sends[nth]
    return {"nth": nth, **_bytes(seen), **_times(seen)}


def of_session(session: Session) -> Features:
    """A whole session: means over its sends, because attackers average, and what followed."""
    sends, guesses = session.sends, session.guesses
    found: Features = {"connect": session.connect}
    for group, name in ((sends, "send"), (guesses, "guess"), ((session.resend,), "resend")):
        each = [{**_bytes(seen), **_times(seen)} for seen in group]
        for key in each[0]:
            values = [features[key] for features in each]
            found[f"{name}.{key}.mean"] = statistics.fmean(values)
            if len(values) > 1:
                found[f"{name}.{key}.least"] = min(values)
                found[f"{name}.{key}.most"] = max(values)
    ids = [str(seen.json.get("request_id")) for seen in sends]
    found["ids"] = len(set(ids))
    found["id_bits"] = _entropy("".join(ids))
    found["repeats"] = found["send.whole.most"] - found["send.whole.least"]
    found["first_to_rest"] = sends[0].whole - statistics.fmean(s.whole for s in sends[1:])
    return found


def _times(seen: Seen) -> Features:
    return {
        "first_byte": seen.first_byte,
        "log_first_byte": math.log(seen.first_byte),
        "whole": seen.whole,
        "tail": seen.whole - seen.first_byte,
        # Timers that a sleep rounds to would show in what is left of a millisecond.
        "of_millisecond": (seen.whole * 1e3) % 1,
    }


def _bytes(seen: Seen) -> Features:
    text = seen.body.decode("utf-8", "replace")
    tokens = TOKEN.findall(text)
    longest = max(tokens, key=len, default="")
    return {
        "status": seen.status,
        "names": _hash(" ".join(seen.names)),
        "headers": len(seen.names),
        "content_type": _hash(seen.headers.get("content-type", "")),
        "retry_after": float(seen.headers.get("retry-after", -1)),
        "date": float("date" in seen.headers),
        "length": len(seen.body),
        "keys": _hash(" ".join(seen.json)),
        "between": _hash(TOKEN.sub("", text)),
        "tokens": len(tokens),
        "entropy": _entropy(text),
        "longest": len(longest),
        "longest_entropy": _entropy(longest),
        "longest_digits": sum(map(str.isdecimal, longest)),
        "longest_upper": sum(map(str.isupper, longest)),
        "longest_first": ord(longest[0]) if longest else 0.0,
        "longest_last": ord(longest[-1]) if longest else 0.0,
    }


def _hash(text: str) -> float:
    return zlib.crc32(text.encode()) % HASHED


def _entropy(text: str | Sequence[str]) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
