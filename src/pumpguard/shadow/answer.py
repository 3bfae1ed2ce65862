"""What became of a request that was let through: sent, not sent, or unknown, which counts as sent.

A wrapped sender's word counts: that it returned, that it raised, or that it was never called. Where
it may be called after the answer (a background task), or where none is known, the answer's status
says it: with one that a message goes out with, it counts as sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import Message, Scope, Send

from pumpguard.intake.conditions import SENT_WHEN, SentWhen
from pumpguard.notices import Notices
from pumpguard.shadow.current import CurrentRequest

SERVER_ERROR = 500

SILENT = 20
"""Answers without a call of a wrapped sender, after which it is said where only its word counts."""

IN_VAIN = 20
"""Answers that look like success and count as not sent, one after the other, before it is said."""

SUCCESS = SentWhen(SENT_WHEN).statuses

MAX_REMEMBERED = 1_000


class Answers:
    """What a policy's ``sent_when`` says of answers, and where a wrapped sender was called.

    Where only its word counts, its silence says nothing before its first call.
    """

    def __init__(self, sent_when: SentWhen, notices: Notices) -> None:
        self.sent_when = sent_when
        self._notices = notices
        self._heard: set[str] = set()
        self._silent: Counter[str] = Counter()
        self.in_vain = 0

    def route(self, scope: Scope, parameters: Mapping[str, str]) -> str:
        """Where only the sender's word counts: the path, with names in the place of parameters."""
        path = str(scope["path"])
        for name, value in parameters.items():
            path = path.replace(value, f"{{{name}}}")
        return path

    def sent_by_function(self, function: Callable[[int], object], status: int) -> bool:
        """Whether a message goes out with such an answer, as a function of the policy's says."""
        try:
            return bool(function(status))
        except Exception as error:
            text = "sent_when raised %r for an answer of %d; such answers count as sent"
            self._notices.say("PG066", "sent_when", text, error, status)
            return True

    def silence_says(self, route: str, *, called: bool) -> bool:
        """Whether a wrapped sender that was not ``called`` would have been, for a message."""
        if called:
            if len(self._heard) >= MAX_REMEMBERED:
                self._heard.clear()
            self._heard.add(route)
        elif route not in self._heard:
            if len(self._silent) >= MAX_REMEMBERED:
                self._silent.clear()
            self._silent[route] += 1
            if self._silent[route] >= SILENT:
                text = (
                    "sent_when='sender', but none of %d answers of %s came with a call of a "
                    "wrapped sender; until the first one, what succeeds counts as sent"
                )
                self._notices.say("PG065", route, text, self._silent[route], route)
        return route in self._heard

    def succeeded_in_vain(self, status: int) -> None:
        """An answer looks like success, and all that its message was charged was given back."""
        self.in_vain += 1
        if self.in_vain >= IN_VAIN:
            self._notices.say(
                "PG063", "in vain",
                "the last %d answers that look like success (%d) count as not sent, so no limit "
                "holds for their messages. Unless the provider fails: check sent_when=, and "
                "failed= of pumpguard.sender",
                self.in_vain, status,
            )  # fmt: skip


class WatchedAnswer:
    """A ``send`` that learns from the answer passing through it what became of the request.

    ``give_back`` is awaited as soon as it is known that nothing was sent, and mostly before the
    client has the answer: who is redirected, or corrects a form, comes again at once. A wrapped
    sender that is called after that raises.
    """

    def __init__(
        self,
        answers: Answers,
        scope: Scope,
        parameters: Mapping[str, str],
        send: Send,
        request: CurrentRequest,
        give_back: Callable[[], Awaitable[None]],
    ) -> None:
        self.status: int | None = None
        self._answers = answers
        self._by_sender = answers.sent_when.by_sender
        self._route = answers.route(scope, parameters) if self._by_sender else ""
        self._send = send
        self._request = request
        self._give_back = give_back

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._not_sent(self.status):
                await self._settle()
        await self._send(message)

    def fail(self) -> None:
        """The app has raised; unless it has answered before, that is an answer of 500."""
        self.status = self.status or SERVER_ERROR

    async def finish(self) -> None:
        """The app is done. If it answered nothing, it may still have sent the message."""
        request, status = self._request, self.status
        if self._by_sender and status is not None:
            silence = self._answers.silence_says(self._route, called=request.calls > 0)
            if silence and request.calls == 0:
                await self._settle()
        if status is not None and self._not_sent(status):
            await self._settle()
        if not request.given_back:
            self._answers.in_vain = 0
        elif status in SUCCESS and (request.calls or not self._by_sender):
            # Where only its word counts, a sender that is not called says that nothing was sent.
            self._answers.succeeded_in_vain(status)

    def _not_sent(self, status: int) -> bool:
        request = self._request
        if request.calls or request.outcome:
            return request.outcome == "not_sent"
        sent_when = self._answers.sent_when
        if sent_when.function is None:
            return status not in sent_when.statuses
        return not self._answers.sent_by_function(sent_when.function, status)

    async def _settle(self) -> None:
        if not self._request.given_back:
            self._request.given_back = True
            await self._give_back()
