"""What a rule can ask the store to keep: each kind of counter, and what comes back.

A rule never talks to a store. It *declares* counters, which say what is counted, per what
(``by``), and up to where; the attempt says whose they are. The guard sends all of them in one trip
and hands each rule its `Reading`s to judge. See ``store/kinds/`` for what each kind does.

Counters do not change from request to request: a rule makes them once and returns the same tuple
every time, so that the guard can prepare the question once as well.

Money is in whole micro-dollars (µ$); `pumpguard.counters.micros` makes them of USD.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, TypeAlias

from pumpguard.decision import Action

Counts = Literal["attempts", "admissions"]
"""``attempts`` counts every request (a signal), ``admissions`` only what was let through (what
limits bind on)."""

EXACT_UP_TO = 10
"""Windows with at most this limit keep the exact time of every hit; wider ones keep slices."""

SLICES = 10
"""Slices per window above `EXACT_UP_TO`. All slices that touch the window count in full, so a
window never admits more than its limit and may hold a hit up to a tenth of the window too long."""

DISTINCT_UP_TO = 24
NEIGHBOURS_REMEMBERED = 24


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` hits in any ``seconds``.

    With ``most`` above 1, the room that the subject has earned (see `Trust`) is added to the limit,
    up to ``most`` times the limit. Its reading's ``detail`` is then the limit that holds now, and
    the room.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    action: Action = Action.THROTTLE
    counts: Counts = "admissions"
    most: int = 1


@dataclass(frozen=True, slots=True)
class Distinct:
    """At most ``limit`` different values of the dimension ``of`` in any ``seconds``."""

    rule: str
    by: str
    limit: int
    seconds: int
    of: str
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Neighbours:
    """At most ``limit`` other numbers within ``distance`` of this one in any ``seconds``.

    Numbers are compared by their last four digits, so ``by`` is a block of 10,000: ``prefix:4``.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    distance: int
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Ban:
    """A subject that gathers ``strikes`` in any ``seconds`` is refused until a time.

    What gives a strike is ``fed_by``: the word ``"attempts"`` (every request), or the names of
    rules whose refusals count. The ban lasts ``base × factor^level`` seconds, at most ``cap``,
    spread by ± ``jitter``; the level rises with each ban and falls by one for every ``memory``
    seconds that pass after a ban has ended. Earned room is added to ``strikes``, up to ``most``
    times as many.
    """

    rule: str
    by: str
    strikes: int
    seconds: int
    fed_by: Literal["attempts"] | frozenset[str]
    base: int = 600
    factor: float = 5.0
    cap: int = 86_400
    memory: int = 86_400
    jitter: float = 0.2
    action: Action = Action.BLOCK
    most: int = 1


@dataclass(frozen=True, slots=True)
class Spend:
    """At most ``limit`` µ$ in any ``seconds``, by the price of what is let through.

    ``reserved`` µ$ of them are kept for numbers that have verified before (see `Known`): anybody
    else is let through up to ``limit - reserved``. Several with the same rule, ``by`` and
    ``seconds`` are one sum looked at with several limits, such as a share at which to ask for
    proof and the whole; declare all of them at once, or one instead of the other.

    Its reading's ``used`` is in µ$, its ``wait`` until the price of this message fits.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    reserved: int = 0
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Credit:
    """How many µ$ of messages that nobody has verified a subject may have outstanding.

    The line is the highest of ``limit`` and ``ratio`` times what was verified on the best of the
    last 14 days or today so far (UTC days; today never exceeds the last 24 hours, so this is
    never more than earned). Debts are forgiven evenly, a whole line in ``seconds``; a
    verification pays its message back at once, and lets the line grow.

    Its reading's ``used`` is the debt in µ$, its ``detail`` the line in µ$.
    Source: the shape is Authgear's fraud protection, in messages: max(20, 0.3 × best of 14 days,
    0.3 × last 24 hours) unverified per country and day.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    ratio: float = 0.3
    action: Action = Action.THROTTLE


@dataclass(frozen=True, slots=True)
class Conversion:
    """Whether the messages sent to a subject get verified, as a CUSUM over matured sends.

    Every send that is still unverified when it is old enough (the question's ``matures_after``, at
    most ``seconds``) adds ``ln((1 - p1) / (1 - p0))``, every verified one takes ``ln(p0 / p1)``
    times its worth away, never below 0. At ``h`` nats, and at least ``minimum`` matured sends, it
    is full for ``hold`` seconds and starts anew. What a verification is worth, and what was
    measured with these defaults, is in ``store/kinds/conversion.py``.

    Its reading's ``used`` is the sum in thousandths of a nat, its ``detail`` how many sends have
    matured and how many of them were verified (both halved from time to time).
    """

    rule: str
    by: str
    p0: float = 0.5
    p1: float = 0.05
    h: float = 12.8
    minimum: int = 20
    seconds: int = 600
    hold: int = 1_800
    action: Action = Action.BLOCK


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether verifications arrive at all: a CUSUM for a drop of their rate to nearly none.

    It is full while they do not, which is nobody's attack but the provider's (or the app's)
    outage: from ``2 × h`` nats until it is below ``h`` again. From ``h`` on, and before ``minimum``
    verifications were seen at all, no `Conversion` of the same question is full, and sends that
    mature count neither way. It never refuses.

    Its reading's ``detail`` is the verifications seen (at most 65,535) and the Unix time in ms at
    which the outage began (0 if there is none); the latter names the outage, for who tells each
    of them once.
    """

    rule: str
    by: str = "everything"
    h: float = 9.0
    minimum: int = 20
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Spike:
    """Whether there is far more of something than usual: at least ``minimum`` hits in the last
    ``seconds``, and more than ``ratio`` times what is usual in that time, by the last two days.

    It is full meanwhile, never refuses, and goes on counting. Within the first day nothing is.
    Its reading's ``detail`` is what is usual, in thousandths, and how many hours (at most 65,535)
    that is known from.
    """

    rule: str
    by: str = "everything"
    ratio: float = 3.0
    minimum: int = 50
    seconds: int = 600
    counts: Counts = "admissions"
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Trie:
    """Which block of numbers, of whatever width, gets more than can be explained.

    What is let through is counted by its number's digits, as deep as there is something to count.
    A request is refused if with it a node of at least ``minimum`` recent admissions (an average
    over ``seconds``) deviates by ``h`` nats from what its past and the rest of the country let
    expect; the deepest such node is closed, for ``hold`` seconds at first, and opens step by step
    (`pumpguard.store.kinds.blocks`). No block of more than ``10 ** widest`` numbers is closed.

    ``proved`` says that the client solved a challenge for this request. Declare one or the other.
    Its reading's ``used`` is the recent admissions of the whole, its ``detail`` how many digits the
    block has that is closed, and its stage.
    """

    rule: str
    by: str = "country"
    minimum: int = 6
    h: float = 14.0
    seconds: int = 600
    hold: int = 1_800
    widest: int = 7
    proved: bool = False
    action: Action = Action.BLOCK


@dataclass(frozen=True, slots=True)
class Mix:
    """Whether a country's messages go to other ranges of numbers than they used to.

    A range is the first three digits after the calling code, taken in 32 groups. While at least
    ``minimum`` messages are recent (an average over ``seconds``), their spread over the groups is
    held against that of the past weeks; if it is ``h`` nats from it, it is full for ``hold``
    seconds for whoever asks for a group that has its share already. Known numbers pass.

    Its reading's ``used`` is the recent messages, its ``detail`` how far they are from usual when
    that begins (thousandths of a nat; 0 later), and what is usual for this group (256ths).
    """

    rule: str
    by: str = "country"
    minimum: int = 6
    h: float = 12.0
    seconds: int = 600
    hold: int = 3_600
    action: Action = Action.CHALLENGE


@dataclass(frozen=True, slots=True)
class Trust:
    """What a subject has earned: so many messages more, for every window that is kept ``by`` the
    same and has room (``most``). Never full.

    ``gain`` messages for each that was verified, less ``share`` of all that were sent; both are
    sums that lose an eighth a day. So a subject of which less than ``share`` is verified has none,
    and from ``share + 1 / gain`` on it needs no other limit than ``most``.

    Its reading's ``used`` is the room in messages, its ``detail`` how many were verified and sent.
    """

    rule: str
    by: str
    gain: int = 4
    share: float = 0.35
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Known:
    """Whether this number was verified in the last ``seconds``: ``used`` is 1 or 0. Never full.

    It also remembers when a verification last counted: one per number and 24 hours does.
    """

    rule: str
    seconds: int = 90 * 86_400
    by: str = "phone"
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Tickets:
    """The last ``keep`` messages to a number that wait for their outcome, for ``seconds``.

    ``remembers`` names the dimensions, other than those that follow from the number, whose
    subjects have to be told the outcome as well, such as ``network`` and ``session``. They are
    stored with each ticket as key hashes. The whole must fit into 255 bytes, so fewer are kept if
    much is remembered; a ticket that is pushed out is never settled, which is only stricter.
    Never full.
    """

    rule: str
    seconds: int = 900
    keep: int = 8
    remembers: tuple[str, ...] = ()
    by: str = "phone"
    action: Action = Action.ALLOW


@dataclass(frozen=True, slots=True)
class Refunds:
    """At most ``limit`` µ$ are given back in any ``seconds``. For settlements only."""

    rule: str
    limit: int
    seconds: int = 3_600
    by: str = "everything"
    action: Action = Action.ALLOW


Counter: TypeAlias = (
    Window
    | Distinct
    | Neighbours
    | Ban
    | Spend
    | Credit
    | Conversion
    | Pulse
    | Spike
    | Trie
    | Mix
    | Trust
    | Known
    | Tickets
    | Refunds
)


def micros(usd: float) -> int:
    """USD as whole µ$, rounded up: a price is never taken for less than it is."""
    # Rounded first: what floats add by themselves is no micro-dollar.
    return ceil(round(usd * 1e6, 3))


def identity(counter: Counter) -> str:
    """What makes a counter the same counter from request to request, and from deploy to deploy.

    Changing a limit keeps what was counted, unless the new limit is kept in another layout.
    """
    match counter:
        case Window():
            layout = _layout(counter.limit * counter.most)
        case Ban():
            layout = _layout(counter.strikes * counter.most)
        case Tickets():
            layout = ",".join(counter.remembers)
        case Spike():
            layout = counter.counts
        case _:
            layout = ""
    seconds = 0 if isinstance(counter, Pulse | Trust) else counter.seconds
    return f"{type(counter).__name__} {layout} {seconds} {counter.by} {counter.rule}"


def divided(counter: Counter, parts: int) -> Counter:
    """The counter for one of ``parts`` that share its limit: rounded down, but of a count never
    below 1. Kinds without a limit of that sort stay as they are."""
    match counter:
        case Window() | Distinct() | Neighbours():
            return replace(counter, limit=max(1, counter.limit // parts))
        case Ban():
            return replace(counter, strikes=max(1, counter.strikes // parts))
        case Spend():
            reserved = -(-counter.reserved // parts)
            return replace(counter, limit=counter.limit // parts, reserved=reserved)
        case Spike():
            return replace(counter, minimum=max(1, counter.minimum // parts))
        case Credit() | Refunds():
            return replace(counter, limit=counter.limit // parts)
    return counter


def _layout(limit: int) -> str:
    return "log" if limit <= EXACT_UP_TO else "slices"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the store said about one counter.

    ``used`` is the count before this request (for a ban: its level); ``wait`` the seconds until
    it would let this request pass, 0 when it does now. What else some kinds have to say is in
    ``detail``.
    """

    used: int
    wait: float
    detail: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        """Whether this counter speaks against the request."""
        return self.wait > 0
