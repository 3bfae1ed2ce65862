"""What refusals say in the languages of an app's users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from starlette.types import Scope

from pumpguard.config import require

PROBLEMS = ("blocked", "throttled", "challenge")
"""The refusals that have a text of their own: it is the same for every reason."""

MAX_TEXT, MAX_HEADER = 500, 200
"""Characters of a text, and of an ``Accept-Language`` that is read."""

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*\Z")
WANTED = re.compile(r"\s*([a-zA-Z0-9*-]{1,35})\s*(?:;\s*q\s*=\s*([0-9.]{1,5})\s*)?\Z")

Texts = Mapping[str, Mapping[str, str]]
"""By language (``de``, ``pt-br``), the ``detail`` of the problems `PROBLEMS`."""


def check_texts(texts: Texts) -> None:
    """Raises `PolicyError` for a language, a problem or a text that cannot be used."""
    for language, own in texts.items():
        path = f"texts.{language}"
        require(LANGUAGE.match(language), path, "a language such as 'de' or 'pt-br'", language)
        for problem, text in own.items():
            known = problem in PROBLEMS
            require(known, f"{path}.{problem}", f"one of {', '.join(PROBLEMS)}", problem)
            fits = isinstance(text, str) and 0 < len(text) <= MAX_TEXT
            require(fits, f"{path}.{problem}", f"a text of at most {MAX_TEXT} characters", text)


class Languages:
    """Chooses among languages by ``Accept-Language`` (RFC 9110). English is always one."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self._chosen = lru_cache(maxsize=256)(self._choose)

    def of(self, scope: Scope) -> str | None:
        """The language to answer in, or ``None`` for English, the default."""
        for name, value in scope.get("headers", ()) if self.texts else ():
            if name == b"accept-language":
                return self._chosen(value[:MAX_HEADER].decode("latin-1"))
        return None

    def _choose(self, accepted: str) -> str | None:
        wanted = []
        for i, part in enumerate(accepted.split(",")):
            found = WANTED.match(part)
            if found is not None:
                wanted.append((-_weight(found[2]), i, found[1].lower()))
        for weight, _, language in sorted(wanted):
            while weight and language not in self.texts:
                if language == "en":
                    return None
                language, more, _ = language.rpartition("-")
                if not more:
                    break
            else:
                return language if weight else None
        return None


def _weight(text: str | None) -> float:
    try:
        return 1.0 if text is None else min(1.0, float(text))
    except ValueError:
        return 0.0
