"""How the harness's people and bots use each of the three apps: what they would do in a browser or
an app of a phone, told as the calls that they make to the target app."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any

import phonenumbers

from pumpguard.testing import FakeClock

from ..actors import Call, Json, Reply
from ..targets import Answer, InProcess
from .aliases import FIELD
from .provider import Provider

PROOF = "not_a_robot"
"""The field in which a solved challenge comes back."""

CHALLENGE: Json = {"type": "/challenge"}

ASK = """mutation Ask($to: String!, $channel: Channel!) {
  requestCode(to: $to, channel: $channel) { messageId }
}"""
CONFIRM = """mutation Confirm($to: String!, $code: String!) {
  confirmCode(to: $to, code: $code) { ok }
}"""

CSRF = re.compile(rb'name=csrf value="(\w+)"')
BOUNDARY = "----a-browsers-own"


@dataclass
class Visit:
    """One browser, and what it remembers of the app."""

    cookie: str = ""
    csrf: str = ""
    sent: Json | None = None
    """What was typed, once a message was sent."""


@dataclass
class Door:
    """A target that translates. ``typos`` says whose browser a mistyped number comes from."""

    app: InProcess
    clock: FakeClock
    provider: Provider
    typos: MutableMapping[str, str] = field(default_factory=dict)
    concurrent = False

    def __post_init__(self) -> None:
        self._visits: dict[str, Visit] = {}
        self._solutions = 0

    async def call(self, call: Call, at: float) -> Reply:
        """Do at one simulated moment what the call means."""
        self.clock.now = at
        if call.path.startswith("/sim/inbox/"):
            inbox = self.provider.inbox(call.path.removeprefix("/sim/inbox/"))
            return Reply(at, 200, {"messages": [asdict(each) for each in inbox]})
        typed: Json = call.json or {}
        whose = call.meant or str(typed["phone"])
        visit = self._visits.setdefault(self.typos.get(whose, whose), Visit())
        if call.path == "/otp/verify":
            right = await self.verify(visit, typed, call.address)
            return Reply(at, 200 if right else 400)
        answer = await self.send(visit, call)
        if answer.status < 400:
            visit.sent = typed
        after = answer.header("retry-after")
        asked = answer.status == 403 and (
            b"/challenge" in answer.body or PROOF.encode() in answer.body
        )
        status = 200 if answer.status == 303 else answer.status
        return Reply(at, status, CHALLENGE if asked else {}, float(after) if after else None)

    async def send(self, visit: Visit, call: Call) -> Answer:
        """Ask for a message."""
        raise NotImplementedError

    async def verify(self, visit: Visit, typed: Json, address: str | None) -> bool:
        """Enter a code; whether the app says that it is right."""
        raise NotImplementedError

    def proof(self, call: Call) -> dict[str, str]:
        """A solved challenge, if there is one."""
        if not call.human:
            return {}
        self._solutions += 1
        return {PROOF: f"solution-{self._solutions}"}

    async def post(
        self, path: str, body: bytes, kind: str, address: str | None, cookie: str = ""
    ) -> Answer:
        """One request."""
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"x-forwarded-for", (address or "").encode()),
            *([(b"cookie", cookie.encode())] if cookie else []),
        ]
        return await self.app.ask("POST", path, headers, body)

    async def post_json(self, path: str, body: Mapping[str, Any], address: str | None) -> Answer:
        """One request in JSON."""
        return await self.post(path, json.dumps(body).encode(), "application/json", address)


class FormDoor(Door):
    """Pages: the form, the resend button, the page for the code."""

    async def send(self, visit: Visit, call: Call) -> Answer:
        typed: Json = call.json or {}
        if not visit.csrf:
            answer = await self.app.ask("GET", "/signup", [], b"")
            visit.cookie = (answer.header("set-cookie") or "").partition(";")[0]
            found = CSRF.search(answer.body)
            visit.csrf = found[1].decode() if found else ""
        if visit.sent == typed:
            return await self._submit("/signup/resend", visit, self.proof(call), call.address)
        dial, number = f"+{str(typed.get('code', '1')).lstrip('+')}", str(typed["phone"])
        if number.startswith("+") and number[1:].isdigit() and int(number[-1]) % 2:
            parsed = phonenumbers.parse(number)  # half of all use the select
            dial = f"+{parsed.country_code}"
            number = phonenumbers.national_significant_number(parsed)
        filled = {"dial": dial, "phone": number, **self.proof(call)}
        return await self._submit("/signup", visit, filled, call.address)

    async def verify(self, visit: Visit, typed: Json, address: str | None) -> bool:
        answer = await self._submit("/signup/code", visit, {"code": typed["code"]}, address)
        return answer.header("location") == "/welcome"

    async def _submit(
        self, path: str, visit: Visit, fields: Mapping[str, str], address: str | None
    ) -> Answer:
        # A hidden field and the box beside it have one name, as many frameworks render them.
        pairs = [("csrf", visit.csrf), ("terms", "0"), ("terms", "1"), *fields.items()]
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in pairs
        ]
        body = ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return await self.post(path, body, kind, address, visit.cookie)


class PoolDoor(Door):
    """An app of a phone, which speaks JSON."""

    async def send(self, visit: Visit, call: Call) -> Answer:
        typed: Json = call.json or {}
        again = visit.sent == typed
        body = {"msisdn": typed["phone"], "prefix": typed.get("code", ""), **self.proof(call)}
        path = "/api/v1/login/resend" if again else "/api/v1/login"
        others = set(threading.enumerate())
        answer = await self.post_json(path, body, call.address)
        if again:  # simulated time stands still until the app's thread is done
            for thread in set(threading.enumerate()) - others:
                if thread.name.startswith("Thread-"):
                    thread.join()
        return answer

    async def verify(self, visit: Visit, typed: Json, address: str | None) -> bool:
        body = {"msisdn": typed["phone"][1:], "pin": typed["code"]}
        answer = await self.post_json("/api/v1/login/confirm", body, address)
        return bool(json.loads(answer.body).get("valid"))


class GraphQLDoor(Door):
    """A page that speaks GraphQL."""

    async def send(self, visit: Visit, call: Call) -> Answer:
        typed: Json = call.json or {}
        if not visit.cookie:
            visit.cookie = "seen"
            await self.post_json("/graphql", {"query": "query Me { me { name } }"}, call.address)
        if FIELD in typed:
            return await self._aliases(typed, call)
        to = f"+{typed['code'].lstrip('+')}{typed['phone']}" if "code" in typed else typed["phone"]
        variables = {"to": to, "channel": "EMAIL" if "@" in to else "SMS"}
        body = {"query": ASK, "variables": variables, **self.proof(call)}
        return await self.post_json("/graphql", body, call.address)

    async def _aliases(self, typed: Json, call: Call) -> Answer:
        """A program's document."""
        numbers = [*([typed["phone"]] if typed["inline"] else []), *typed[FIELD]]
        fields = [f'a{n}: requestCode(to: "{to}", channel: SMS)' for n, to in enumerate(numbers)]
        if not typed["inline"]:
            fields.append("requestCode(to: $to, channel: SMS)")
        body: dict[str, Any] = {"query": f"mutation {{ {' '.join(fields)} }}", **self.proof(call)}
        if not typed["inline"]:
            body["variables"] = {"to": typed["phone"]}
        return await self.post_json("/graphql", body, call.address)

    async def verify(self, visit: Visit, typed: Json, address: str | None) -> bool:
        variables = {"to": typed["phone"], "code": typed["code"]}
        answer = await self.post_json(
            "/graphql", {"query": CONFIRM, "variables": variables}, address
        )
        data = json.loads(answer.body).get("data") or {}
        return bool(data.get("confirmCode", {}).get("ok"))
