"""Dimensions that a policy names itself: what limits can be kept by, beside the built-in ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pumpguard.attempt import OWN_NAME, SUBJECTS
from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.fields import Fields, check_field, field_reader

DimensionReader: TypeAlias = Callable[[Fields], str | None]

BOTS = re.compile(r"bot\b|crawl|spider|headless|phantomjs|selenium|puppeteer|playwright", re.I)
LIBRARIES = re.compile(
    r"python|aiohttp|httpx|curl|wget|go-http|okhttp|axios|node|undici|java|apache|perl|php|guzzle"
    r"|ruby|faraday|dart|cfnetwork|alamofire|postman|insomnia|reqwest|libwww|winhttp",
    re.I,
)
BROWSERS = (  # in this order: most also claim to be those further down
    ("edge", re.compile(r"Edg(e|A|iOS)?/")),
    ("opera", re.compile(r"OPR/|OPT/|Opera")),
    ("samsung", re.compile(r"SamsungBrowser/")),
    ("firefox", re.compile(r"Firefox/|FxiOS/")),
    ("chrome", re.compile(r"Chrom(e|ium)/|CriOS/")),
    ("safari", re.compile(r"Version/[\d.]+ .*Safari/")),
)


def key_text(value: object) -> str | None:
    """A key such as a session or an account: text, or a whole number as text; empty ones are
    ``None``. Raises `IntakeError` (400) for other types."""
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        detail = "A value that identifies the request is neither text nor a whole number."
        raise IntakeError(400, "bad-request", "Bad request", detail)
    return str(value)


def email_domain(value: object) -> str | None:
    """What follows the last ``@``, in lower case and in IDNA (``bücher.example`` is
    ``xn--bcher-kva.example``), and nothing else: no provider's rules, no registrable domains.

    What IDNA does not allow stays as it is, so that it cannot be a way to have no domain.
    """
    address = key_text(value)
    if address is None or "@" not in address:
        return None
    domain = address.rpartition("@")[2].lower()
    if domain.isascii():
        return domain or None
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain


def agent_class(value: object) -> str:
    """One of ``edge``, ``opera``, ``samsung``, ``firefox``, ``chrome``, ``safari``, ``bot`` (also
    browsers that are driven by programs and say so), ``library``, ``none`` and ``other``.

    Anybody can claim to be any of them; an app's own client is mostly a ``library``.
    """
    agent = key_text(value)
    if agent is None or not agent.strip():
        return "none"
    if BOTS.search(agent):
        return "bot"
    if agent.startswith(("Mozilla/", "Opera/")):
        return next((family for family, mark in BROWSERS if mark.search(agent)), "other")
    return "library" if LIBRARIES.search(agent) else "other"


INTERPRETERS: Mapping[str, Callable[[object], str | None]] = {
    "agent": agent_class,
    "email_domain": email_domain,
}
"""Dimensions of these names are interpreted; all others are taken as they are."""


def dimension_readers(dimensions: Mapping[str, Any]) -> tuple[tuple[str, DimensionReader], ...]:
    """How to read each of a policy's own dimensions off a request, by name."""
    return tuple((name, _reader(name, where)) for name, where in dimensions.items())


def _reader(name: str, where: Any) -> DimensionReader:
    read = field_reader(where)
    interpret = key_text if callable(where) else INTERPRETERS.get(name, key_text)
    return lambda fields: interpret(read(fields))


def check_dimensions(dimensions: Mapping[str, Any]) -> None:
    """Raise `PolicyError` for a name that is taken or unfit, and for what is no field."""
    for name, where in dimensions.items():
        path = f"dimensions.{name}"
        if not OWN_NAME.match(name) or name in SUBJECTS:
            expected = "a name such as 'email_domain' that is no dimension already"
            raise PolicyError(path, expected, name)
        if not callable(where):
            check_field(where, path)
