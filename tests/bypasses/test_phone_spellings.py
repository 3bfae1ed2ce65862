"""Writing the same number differently must not buy another message."""

from __future__ import annotations

import json
from urllib.parse import quote_plus, urlencode

import pytest

from pumpguard.store.base import Store
from tests.asgi import FORM, JSON, PHONE, call, request
from tests.intake.test_phone import SPELLINGS
from tests.otp_app import Outbox, guarded, otp_app

TWO_PARTS = [
    ("44", "7400123456"),
    ("+44", "07400123456"),
    ("0044", "(0)7400-123-456"),
    ("٤٤", "７４００１２３４５６"),
]


def as_json(**fields: str) -> tuple[str, bytes]:
    return JSON, json.dumps(fields).encode()


def as_form(**fields: str) -> tuple[str, bytes]:
    return FORM, urlencode(fields).encode()


BODIES = [
    *(as_json(phone=spelling) for spelling in SPELLINGS),
    *(as_form(phone=spelling) for spelling in SPELLINGS),
    *(as_json(code=code, phone=phone) for code, phone in TWO_PARTS),
    *(as_form(code=code, phone=phone) for code, phone in TWO_PARTS),
    ("application/vnd.app+json", b'{"phone": "\\u002b447400123456"}'),
]


async def test_every_spelling_shares_one_limit_on_every_store(store: Store) -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), store=store, code="code")
    replies = [await call(app, request(content_type=kind), body) for kind, body in BODIES]

    assert [reply.status for reply in replies] == [202] + [429] * (len(BODIES) - 1)
    assert outbox.sent == [PHONE]


@pytest.mark.parametrize("place", ["query", "path", "header"])
async def test_nor_does_it_help_to_write_it_elsewhere(place: str) -> None:
    outbox = Outbox()
    routes = {"query": "GET /otp", "path": "GET /otp/{phone}", "header": "GET /otp"}
    path = routes[place].split()[1]
    app = guarded(otp_app(outbox, path), send=routes[place], phone=f"{place}:phone")
    spellings = [s for s in SPELLINGS if "/" not in s and s.isascii()]
    for spelling in spellings:
        await call(
            app,
            request(
                "GET",
                path.replace("{phone}", spelling),
                content_type=None,
                query=f"phone={quote_plus(spelling)}" if place == "query" else "",
                headers={"phone": spelling} if place == "header" else (),
            ),
        )
    assert outbox.sent == [PHONE]
