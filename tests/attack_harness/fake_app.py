"""A tiny app with the example app's surface, and a crude guard that refuses on request."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from attack_harness.targets import Message, Receive, Send

PRICE = 0.1
OWNER_SHARE = 0.01
Verdict = tuple[int, dict[str, Any], dict[str, str]]

SENT: Verdict = (202, {"status": "sent"}, {})
CHALLENGE: Verdict = (403, {"type": "https://fake.example/problems/challenge"}, {})
BLOCKED: Verdict = (403, {"type": "https://fake.example/problems/blocked"}, {})


def throttled(seconds: int) -> Verdict:
    return (429, {"type": "https://fake.example/problems/throttled"}, {"retry-after": str(seconds)})


class FakeApp:
    """Judges each send with a function of the phone, the address and whether a human asks."""

    def __init__(self, judge: Callable[[str, str, bool], Verdict] = lambda *_: SENT) -> None:
        self.judge = judge
        self.ledger: list[dict[str, Any]] = []
        self.inboxes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.by_rule: Counter[str] = Counter()
        self.seen: list[tuple[float, str]] = []
        self.lifespan: list[str] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        body = json.loads((await receive())["body"] or b"{}")
        status, answer, extra = self._answer(scope["path"], scope["query_string"], headers, body)
        raw = [(k.encode(), v.encode()) for k, v in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            self.lifespan.append(phase)
            await send({"type": f"lifespan.{phase}.complete"})

    def _answer(
        self, path: str, query: bytes, headers: dict[str, str], body: dict[str, str]
    ) -> Verdict:
        at = float(headers["x-sim-time"])
        self.seen.append((at, path))
        if path == "/otp/send":
            return self._send(at, headers, body)
        if path == "/otp/verify":
            known = body["code"] == "123456" and bool(self.inboxes[body["phone"]])
            return (200, {"status": "verified"}, {}) if known else (400, {}, {})
        if path.startswith("/sim/inbox/"):
            messages = [m for m in self.inboxes[path[11:]] if m["delivered_at"] <= at]
            return 200, {"messages": messages}, {}
        if path == "/sim/messages":
            since = int(query.partition(b"=")[2] or 0)
            page = self.ledger[since : since + 500]
            return 200, {"messages": page, "next": since + len(page)}, {}
        if path == "/metrics/firewall":
            return 200, {"by_rule": dict(self.by_rule)}, {}
        spent = sum(m["price"] for m in self.ledger)
        return 200, {"messages_sent": len(self.ledger), "total_spent": spent}, {}

    def _send(self, at: float, headers: dict[str, str], body: dict[str, str]) -> Verdict:
        phone = "+" + "".join(filter(str.isdigit, body.get("code", "") + body["phone"])).lstrip("0")
        human = headers.get("x-sim-human") == "1"
        verdict = self.judge(phone, headers["x-forwarded-for"], human)
        if verdict[0] != 202:
            self.by_rule[str(verdict[0])] += 1
            return verdict
        line = {"id": len(self.ledger), "phone": phone, "at": at, "country": "XX"}
        paid = {"price": PRICE, "status": "delivered", "owner_share": OWNER_SHARE}
        self.ledger.append(line | paid)
        self.inboxes[phone].append({"text": "Your code is 123456.", "delivered_at": at + 2.0})
        return verdict
