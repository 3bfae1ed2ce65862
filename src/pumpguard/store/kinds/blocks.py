"""Refused blocks of numbers, and the way back. Twin: ``blocks.lua``.

A block passes through four stages, the last three of them half open:

- *closed*: only known numbers pass. What is refused says where the surge really is: once nine of
  the last ten refused numbers lie in a narrower block, that one is refused instead.
- *proof*: known numbers and solved challenges pass. If more of the others ask than would be usual,
  the surge is still there and the block closes again, twice as long, without a message sent.
- *canary*: a few pass, as many as would be usual and 3 more; one too many closes the block again.
- *watched*: everything passes, but for days half the evidence is enough to close it again.

Three blocks within one that is at most a hundred times as wide are that one: an attacker who hops
from block to block is answered by widening, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pumpguard.counters import Stage, Trie

UNIT = 256
"""Counts are in 256ths."""

BLOCKS = 8
RING = 10
AGREEING = 9
DEEPEST = 2
"""Digits that stay free in the narrowest block."""

SPARE = 3
EXPECTED_MOST = 2**24 - 1
HIGHEST_LEVEL = 10
LONGEST = 86_400_000
WATCHED = 3 * 86_400_000


class Block(NamedTuple):
    """Numbers that start with ``prefix``, closed until a time (ms). ``expected`` admissions per
    window (256ths) would be usual; ``asked`` during the proof stage, ``passed`` as canaries;
    ``ring`` holds the last refused numbers."""

    prefix: str
    until: int
    level: int = 0
    expected: int = 0
    asked: int = 0
    passed: int = 0
    ring: tuple[str, ...] = ()


def proof_lasts(counter: Trie) -> int:
    """Milliseconds of the proof stage."""
    return counter.hold * 250


def stage_of(counter: Trie, block: Block, now: int) -> Stage:
    """The stage of a block at a time."""
    past = now - block.until
    if past < 0:
        return Stage.CLOSED
    past -= proof_lasts(counter)
    if past < 0:
        return Stage.PROOF
    past -= counter.hold * 1000
    if past < 0:
        return Stage.CANARY
    return Stage.WATCHED if past < WATCHED else Stage.GONE


def allowance(counter: Trie, block: Block, lasts: int) -> int:
    """How many may ask in so many ms before the surge is said to be back."""
    return min(255, SPARE + 2 * block.expected * lasts // (counter.seconds * 1000 * UNIT))


def refuses(counter: Trie, block: Block, now: int) -> bool:
    """Whether somebody unknown is refused; ``counter.proved`` says that they solved a challenge."""
    stage = stage_of(counter, block, now)
    if stage is Stage.CANARY:
        spent = block.passed >= allowance(counter, block, counter.hold * 1000)
        return spent and not counter.proved
    return stage is Stage.CLOSED or (stage is Stage.PROOF and not counter.proved)


def closed(counter: Trie, block: Block, now: int) -> Block:
    """Closed again, twice as long."""
    level = min(HIGHEST_LEVEL, block.level + 1)
    return block._replace(until=now + lasts(counter, level), level=level, asked=0, passed=0)


def lasts(counter: Trie, level: int) -> int:
    """Milliseconds that a block of a level stays closed."""
    return min(LONGEST, counter.hold * 1000 << level)


def struck(counter: Trie, block: Block, number: str, now: int) -> Block:
    """A number was refused. Who asks again says nothing new."""
    stage = stage_of(counter, block, now)
    if stage is Stage.CANARY:
        return closed(counter, block, now)
    if number in block.ring:
        return block
    block = narrowed(block, (number, *block.ring)[:RING])
    if stage is Stage.PROOF:
        block = block._replace(asked=block.asked + 1)
        if block.asked > allowance(counter, block, proof_lasts(counter)):
            return closed(counter, block, now)
    return block


def narrowed(block: Block, ring: tuple[str, ...]) -> Block:
    """The block, or the narrower one in which all but one of the refused numbers lie."""
    if len(ring) < RING:
        return block._replace(ring=ring)
    found = block.prefix
    for number in ring[:2]:
        for depth in range(len(number) - DEEPEST, len(found), -1):
            if sum(each.startswith(number[:depth]) for each in ring) >= AGREEING:
                found = number[:depth]
                break
    if found == block.prefix:
        return block._replace(ring=ring)
    narrower = block.expected // 10 ** (len(found) - len(block.prefix))
    return block._replace(prefix=found, expected=narrower, ring=())


def added(counter: Trie, blocks: Sequence[Block], new: Block, size: int, now: int) -> list[Block]:
    """The blocks with a new one, which takes the place of all that are wider or narrower, and of
    two others around it if that is no more than 100 times as wide. ``size`` is how many digits its
    numbers have."""
    live = [block for block in blocks if stage_of(counter, block, now) is not Stage.GONE]
    new = widened(counter, live, new, size)
    rest = []
    for block in live:
        if block.prefix.startswith(new.prefix) or new.prefix.startswith(block.prefix):
            new = again(counter, new, block, now)
        else:
            rest.append(block)
    if len(rest) >= BLOCKS:
        rest.remove(min(rest, key=lambda block: block.until))
    return [*rest, new]


def widened(counter: Trie, live: Sequence[Block], new: Block, size: int) -> Block:
    """The narrowest block around the new one that holds two others, if it is not too wide."""
    length = len(new.prefix)
    for less in (1, 2):
        shorter = length - less
        if shorter < 1 or size - shorter > counter.widest:
            break
        around = new.prefix[:shorter]
        inside = [b for b in live if b.prefix.startswith(around) and len(b.prefix) > shorter]
        if sum(not each.prefix.startswith(new.prefix) for each in inside) >= 2:
            return new._replace(prefix=around, expected=min(EXPECTED_MOST, new.expected * 10**less))
    return new


def again(counter: Trie, new: Block, old: Block, now: int) -> Block:
    """The new block, which the old one has been before."""
    level = min(HIGHEST_LEVEL, max(new.level, old.level + 1))
    return new._replace(level=level, until=now + lasts(counter, level))
