"""The identity servers: what each posts, how it proves that, and what it makes of the answer.

Each contract is named with the day on which it was read. Other members of a body are let be:
servers add to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Any

from starlette.responses import JSONResponse, Response

from pumpguard.errors import IntakeError
from pumpguard.intake.decode import sound
from pumpguard.replies import PROBLEMS, UNAVAILABLE, Problem, unreadable
from pumpguard.serve.hooks import checks

NAMES = {"throttle": "throttled", "challenge": "challenge"}
"""The problems that actions are answered with; all others are ``blocked``."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a server wants sent: a ``text``, or a ``code`` alone."""

    phone: str
    text: str | None = None
    code: str | None = None
    address: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: ``sent`` (a shadow too), ``failed``, or the action that refused it, with
    its reference."""

    word: str
    retry_after: float | None = None
    reference: str = ""


def plain(outcome: Outcome) -> Response:
    """2xx for what was sent; a problem for what was not."""
    if outcome.word == "sent":
        return JSONResponse({"status": "sent"})
    if outcome.word == "failed":
        return unreadable(UNAVAILABLE)
    name = NAMES.get(outcome.word, "blocked")
    status, title, detail = PROBLEMS[name]
    return Problem(status, name, title, detail, outcome.retry_after).about(outcome.reference)


def supabase_answer(outcome: Outcome) -> Response:
    """200 in any case: an ``error`` in it reaches the user with its status and its message (read in
    supabase/auth's internal/hooks/hookserrors on 2026-11-26). Any other status but 429 and 503
    would be shown as an internal error."""
    if outcome.word == "sent":
        return JSONResponse({})
    status, _, message = PROBLEMS[NAMES.get(outcome.word, "blocked")]
    if outcome.word == "failed":
        status, message = UNAVAILABLE.status, UNAVAILABLE.detail
    elif outcome.retry_after is not None:
        message = f"Please wait {max(1, ceil(outcome.retry_after))} seconds, then ask again."
    if outcome.reference:
        message = f"{message} Reference: {outcome.reference}."
    return JSONResponse({"error": {"http_code": status, "message": message}})


def always_taken(outcome: Outcome) -> Response:
    """Zitadel sends behind its own answer and shows its user nothing of ours; what is not taken it
    would post again."""
    return JSONResponse({"status": "taken"})


def authgear_answer(outcome: Outcome) -> Response:
    """``code`` says what Authgear tells its user; a reference would reach operators alone."""
    words = {"sent": "ok", "throttle": "rate_limited"}
    return JSONResponse({"code": words.get(outcome.word, "delivery_rejected")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One identity server. The paths lead to what is read, and the first that is there counts;
    ``plus`` says that numbers come without theirs."""

    check: checks.Check
    phone: tuple[str, ...]
    text: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    only: tuple[str, str] | None = None
    """A member that has to have this value where it is there: a voice call is no text message."""
    plus: bool = False
    same_by: tuple[str, ...] = ()
    """What two tries of one hook have in common, where the server changes other members of it."""
    answer: Callable[[Outcome], Response] = plain

    @property
    def signed(self) -> bool:
        """Whether what comes is signed, and not only sent by who knows a secret."""
        return self.check is not checks.authorization

    def same(self, found: object, body: bytes) -> bytes:
        """What tells this hook from all others, however often it is tried. Raises `IntakeError`."""
        members = [_at(found, (path,)) for path in self.same_by]
        return json.dumps(members).encode() if members else body

    def read(self, found: object) -> Message:
        """What is to be sent. Raises `IntakeError`."""
        if self.only is not None and _at(found, self.only[:1]) not in (None, self.only[1]):
            raise _unreadable(self.only[0])
        phone = _at(found, self.phone)
        text, code = _at(found, self.text), _at(found, self.code)
        if phone is None:
            raise _unreadable(self.phone[0])
        if text is None and code is None:
            raise _unreadable((self.text or self.code)[0])
        if self.plus and not phone.startswith("+"):
            phone = "+" + phone
        return Message(phone, text, code, _at(found, self.address), _at(found, self.account))


def _at(found: object, paths: tuple[str, ...]) -> str | None:
    """The text at the first of these paths; an empty one is none."""
    for path in paths:
        value: Any = found
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, str):
            raise _unreadable(path)
        if value:
            sound(value)
            return value
    return None


def _unreadable(path: str) -> IntakeError:
    return IntakeError(422, "bad-hook", "Not such a hook", f"{path}: it is not as agreed.")


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        # https://supabase.com/docs/guides/auth/auth-hooks/send-sms-hook, and supabase/auth's
        # internal/hooks/v0hooks: SendSMSInput (2026-11-27). Numbers are kept without their plus.
        "supabase": Kind(
            check=checks.standard_webhooks,
            phone=("sms.phone", "user.phone"),
            code=("sms.otp",),
            address=("metadata.ip_address",),
            account=("user.id",),
            plus=True,
            answer=supabase_answer,
        ),
        # https://docs.logto.io/integrations/http-sms (2026-11-26): a 2xx is what it needs. That
        # ``ip`` is optional says logto-io/logto's connector-kit, SendMessageData (2026-11-27).
        "logto": Kind(
            check=checks.authorization, phone=("to",), code=("payload.code",), address=("ip",)
        ),
        # https://auth0.com/docs/customize/phone-messages/…/custom-phone-provider, its event and api
        # objects (2026-11-27). It runs an Action: that in docs/hooks.md posts the event's
        # notification and address.
        "auth0": Kind(
            check=checks.authorization,
            phone=("notification.recipient",),
            text=("notification.as_text",),
            code=("notification.code",),
            address=("request.ip",),
            account=("user.user_id",),
            only=("notification.delivery_method", "text"),
        ),
        # https://fusionauth.io/docs/customize/email-and-messages/generic-messenger (2026-11-27).
        "fusionauth": Kind(
            check=checks.authorization,
            phone=("phoneNumber",),
            text=("textMessage",),
            account=("userId",),
            only=("type", "SMS"),
        ),
        # https://zitadel.com/docs/guides/manage/customize/notification-providers: its example is of
        # an e-mail. An SMS has recipientPhoneNumber, and the same text: zitadel/zitadel's
        # internal/notification/types/user_phone.go. What is not taken is posted again with another
        # contextInfo.eventType: handlers/notification_worker.go (all read on 2026-11-27).
        "zitadel": Kind(
            check=checks.zitadel,
            phone=("contextInfo.recipientPhoneNumber",),
            text=("templateData.text",),
            same_by=("contextInfo.recipientPhoneNumber", "args.code", "templateData.text"),
            answer=always_taken,
        ),
        # https://docs.authgear.com, Customization, Custom Providers, Webhook/Custom Script, and
        # authgear/authgear-server's pkg/lib/infra/sms/custom: body and codes (2026-11-27).
        "authgear": Kind(
            check=checks.authgear, phone=("to",), text=("body",), answer=authgear_answer
        ),
        # https://www.better-auth.com/docs/plugins/phone-number, and better-auth 1.7.1's
        # plugins/phone-number (2026-11-27): sendOTP and sendPasswordResetOTP are functions of the
        # app's; those in docs/hooks.md post this.
        "better-auth": Kind(
            check=checks.authorization, phone=("phone",), code=("code",), address=("address",)
        ),
        # netzbegruenung/keycloak-mfa-plugins, ApiSmsService at 99c1e42 (2026-11-27), with the JSON
        # template of docs/hooks.md. It only logs what is refused.
        "keycloak": Kind(check=checks.authorization, phone=("phone",), text=("text",)),
    }
)
