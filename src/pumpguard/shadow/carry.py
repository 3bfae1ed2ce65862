"""Taking a decision along to where the message is sent, and taking it up again there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pumpguard.attempt import Attempt
from pumpguard.decision import Decision
from pumpguard.shadow.current import CurrentRequest, current_request, handed_request
from pumpguard.shadow.open_requests import OPEN
from pumpguard.shadow.tokens import Tokens, reader_of


def current_decision() -> Decision | None:
    """The decision about the request being handled, or ``None`` outside a guarded one. Where guards
    are nested it is the strictest, and the innermost of equally strict ones."""
    request = current_request.get()
    decision = None if request is None else request.strictest().decision
    if decision is not None:
        OPEN.by_hand(decision)
    return decision


def current_token() -> str | None:
    """The decision about the request being handled, as a signed text for a job or a header, or
    ``None`` outside a guarded request. `Guard.resume` takes it up where the message is sent.

    It holds no number and no address in clear. Whoever takes one promises to send by it: for the
    guard, the message is on its way.
    """
    request = current_request.get()
    if request is None:
        return None
    strictest = request.strictest()
    if strictest.tokens is None or strictest.decision is None:
        return None
    request.handed_over()
    return strictest.tokens.issue(strictest.decision, 1 + len(strictest.others))


def is_decided(outer: CurrentRequest, tokens: Tokens, attempts: Sequence[Attempt]) -> bool:
    """Whether the guard of these tokens stands around itself, and has decided about this number."""
    return (
        outer.tokens is tokens
        and outer.answered_at is None
        and [attempt.phone.e164[1:] for attempt in attempts] == outer.digits
    )


def request_of(carried: Decision | str, reader: Tokens | None = None) -> CurrentRequest:
    """The request that a decision or a token is about. Raises `TicketError` for a bad token."""
    if isinstance(carried, Decision):
        return OPEN.by_hand(carried)
    reader = reader or reader_of(carried)
    said = reader.read(carried)
    decide = reader.decide() if reader.decide is not None else None
    return CurrentRequest(
        None, reader.simulated, tokens=reader, told=said.action, told_number=said.number,
        token=said, more=decide,
    )  # fmt: skip


@contextmanager
def resumed(carried: Decision | str | None, reader: Tokens | None = None) -> Iterator[None]:
    """Within it, wrapped senders obey that decision; with ``None``, no decision."""
    request = None if carried is None else request_of(carried, reader)
    token, handed = current_request.set(request), handed_request.set(request)
    try:
        yield
    finally:
        handed_request.reset(handed)
        current_request.reset(token)
