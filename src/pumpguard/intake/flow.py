"""The flow by which a number is remembered from its message to the code that is entered for it.

Where the request with the code has no number, it has what the app itself knows the number by: an id
that the app gave out with the message, or a session. The guard reads that of both, and the store
remembers the number under it. With ``flow="cookie"`` the guard sets a cookie of its own.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from starlette.types import Message, Send

from pumpguard.errors import IntakeError
from pumpguard.intake.body import AnswerCopy
from pumpguard.intake.conditions import ERROR, value_at
from pumpguard.intake.dimensions import key_text
from pumpguard.intake.fields import Fields, check_field, field_reader

OWN = "cookie"
COOKIE = "pumpguard_flow"
DAY = 86_400
LONGEST_ID = 512


def check_flow(field: str) -> None:
    """Raise `PolicyError` unless this names a field, or ``cookie``."""
    if field != OWN:
        check_field(field, "flow")


class FlowReader:
    """Reads the flow off requests and answers."""

    def __init__(self, field: str) -> None:
        self.own = field == OWN
        field = f"cookie:{COOKIE}" if self.own else field
        self._source, _, self._name = field.rpartition(":")
        self._read = field_reader(field)

    def of_request(self, fields: Fields) -> str | None:
        """The flow that a request names, if it does so plainly."""
        try:
            found = key_text(self._read(fields))
        except IntakeError:
            return None
        return found if found and len(found) <= LONGEST_ID else None

    def of_answer(self, answer: AnswerCopy) -> str | None:
        """The flow that an answer gives out."""
        value: object = None
        match self._source:
            case "" | "json":
                value = value_at(answer.body, self._name.split("."))
            case "header":
                value = answer.headers.get(self._name)
            case "cookie":
                value = _cookie(answer.headers.getlist("set-cookie"), self._name)
            case "query":
                query = urlsplit(answer.headers.get("location", "")).query
                value = dict(parse_qsl(query)).get(self._name)
        try:
            found = key_text(value)
        except IntakeError:
            return None
        return found if found and len(found) <= LONGEST_ID else None


class FlowAnswer(AnswerCopy):
    """An app's answer to a request for a message. ``flow`` is then known, if there is one: what the
    answer gives out, else what the request named, else (with ``own``) a new one in a cookie."""

    def __init__(self, reader: FlowReader, fields: Fields, send: Send) -> None:
        super().__init__(send)
        self._reader = reader
        self._asked = reader.of_request(fields)
        self._scheme = fields.scope.get("scheme", "http")

    async def __call__(self, message: Message) -> None:
        starts = message["type"] == "http.response.start" and message["status"] < ERROR
        if self._reader.own and starts:
            # Always a new one: whoever could set a cookie beforehand must not learn anything by it.
            self._asked = secrets.token_urlsafe(16)
            line = _set_cookie(self._scheme, self._asked)
            headers = [*message.get("headers", ()), (b"set-cookie", line.encode())]
            message = {**message, "headers": headers}
        await super().__call__(message)

    @property
    def flow(self) -> str | None:
        """The flow, once the app has answered, and not with an error."""
        if self.status is None or self.status >= ERROR:
            return None
        return self._reader.of_answer(self) or self._asked


def _set_cookie(scheme: str, flow: str) -> str:
    secure = "; Secure" if scheme == "https" else ""
    return f"{COOKIE}={flow}; Path=/; Max-Age={DAY}; HttpOnly; SameSite=Lax{secure}"


def _cookie(lines: list[str], name: str) -> str | None:
    for line in reversed(lines):
        try:
            morsel = SimpleCookie(line).get(name)
        except CookieError:
            continue
        if morsel is not None and morsel.value:
            return morsel.value
    return None
