"""Where in a country a surge is: a lazy trie over digits. Twin: ``trie.lua``.

A node is a prefix. Admissions are counted at each node that a number passes, and a node is split
only once it has something to split (`SPLIT_AT`), by its latest numbers, so that little is lost by
being lazy. Counts fade with an average age of ``seconds``; what fades is what the node learns from,
and that is forgotten within weeks. Only the nodes on a number's path are read and written; once a
minute at most, all are swept.

What is usual for a node is its share of the country times what the country does. The share is the
product of ``(learned + κ × prior) / (parent's learned + κ)`` down the path (κ = 20; the prior is a
tenth for the last five digits, where numbers are spread evenly, a half for the one before and one
for the first, where all of a country may be alike). A node with more than half of its country is
not judged: there is no rest to hold it against. What the country does is the highest of its own
past, of four per ``seconds``, and of what the *rest* of it does now: if everybody is busier nobody
is suspicious, and one block that is busier alone cannot hide in the total. The deepest node with
``minimum`` admissions or more, whose Poisson deviance ``c × ln(c / μ) - (c - μ)`` reaches ``h``,
explains the surge.

Then it is forgotten there: what was refused as a surge counts in no node above, so that a wider one
is not refused for the same messages, and nothing is learned from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Stage, Trie
from pumpguard.store.kinds import blocks
from pumpguard.store.kinds.blocks import DEEPEST, UNIT, Block
from pumpguard.store.kinds.exact import ln, power

NODES = 144
SPLIT_AT = 3
CROWDED = 32
NOTABLE = 256
"""A part in so many of what is learned is worth a node, and half as many once there are more nodes
than `ROOMY`."""

ROOMY = 96
"""A node is split once it has 3 recent admissions, or a 32nd of the whole trie's."""

SAMPLES = 2
MINUTE = 60_000
HOURS = 168
"""Of memory for what is usual: a week."""

REMEMBERED = 14 * 86_400_000
"""Milliseconds for which a country that nobody asks for is kept."""

KAPPA = 20
"""What the prior of a node's share weighs, in admissions."""

FLOOR = 4
"""Admissions per window that no country is usually below."""

UNIFORM = 4
"""The last digits of numbers are spread evenly, the first ones are not."""

RECENT_MOST, LEARNED_MOST = 2**24 - 1, 2**32 - 1


class Node(NamedTuple):
    """Admissions (256ths), recent and before; children by digit (0 for none), or, if there are
    none, the latest numbers."""

    recent: int = 0
    learned: int = 0
    kids: tuple[int, ...] = ()
    samples: tuple[str, ...] = ()


class Kept(NamedTuple):
    """The minute of the last ageing, the minutes (256ths) in which was learned, and the nodes."""

    minute: int
    taught: int
    nodes: tuple[Node, ...]
    blocks: tuple[Block, ...]


class Surge(NamedTuple):
    """A node that nothing usual explains: its depth, and what would be usual (256ths)."""

    depth: int
    expected: int


class Age(NamedTuple):
    """How old what is stored is: in which minute we are, what is left of what was recent, and what
    of the rest is not forgotten."""

    minute: int
    keep: float = 1.0
    forget: float = 1.0


@dataclass(slots=True)
class TrieLook:
    """A country as one request for one number sees it."""

    counter: Trie
    now: int
    number: str
    kept: Kept
    age: Age
    used: int
    block: int
    surge: Surge | None
    wait: int

    @property
    def begins(self) -> bool:
        """Whether a refusal has to be remembered."""
        return self.wait > 0

    @property
    def detail(self) -> tuple[int, int]:
        """How many digits the block has that refuses, and its stage."""
        if self.surge:
            return self.surge.depth, Stage.CLOSED
        if self.block < 0:
            return 0, 0
        block = self.kept.blocks[self.block]
        return len(block.prefix), blocks.stage_of(self.counter, block, self.now)

    def charged(self) -> tuple[Kept, int]:
        """One admission more, or one strike."""
        if self.surge:
            kept = self._closed(self.surge)
        elif self.wait:  # nothing is swept: being refused must stay cheap
            block = self.kept.blocks[self.block]
            struck = blocks.struck(self.counter, block, self.number, self.now)
            kept = replaced(self.kept, self.block, struck)
        else:
            kept = swept(self.kept, self.age)
            kept = counted(kept, path_of(kept, self.number), self.number)
            if self.block >= 0 and self.detail[1] == Stage.CANARY and not self.counter.proved:
                block = kept.blocks[self.block]
                passed = min(255, block.passed + 1)
                kept = replaced(kept, self.block, block._replace(passed=passed))
        return kept, self.now + REMEMBERED

    def _closed(self, surge: Surge) -> Kept:
        """The surge is refused from now on, and explained: nothing above it counts it any more, and
        nothing learns from it."""
        counter, now, kept = self.counter, self.now, swept(self.kept, self.age)
        nodes, path = list(kept.nodes), path_of(kept, self.number)
        if surge.depth < len(path):  # else it was swept away with its last minute
            at = path[surge.depth]
            recent = nodes[at].recent
            for above in path[: surge.depth]:
                nodes[above] = nodes[above]._replace(recent=max(0, nodes[above].recent - recent))
            nodes[at] = Node(0, nodes[at].learned)
        prefix = self.number[: surge.depth]
        new = Block(prefix, now + blocks.lasts(counter, 0), expected=surge.expected)
        new = new._replace(ring=(self.number,))
        found = blocks.added(counter, kept.blocks, new, len(self.number), now)
        return kept._replace(nodes=tuple(nodes), blocks=tuple(found))


def look(counter: Trie, number: str, known: bool, stored: Kept | None, now: int) -> TrieLook:
    """Read a country; ``number`` is without the calling code."""
    number = number or "0"
    minute = now // MINUTE
    kept = stored or Kept(minute, 0, (Node(),), ())
    age = Age(kept.minute)
    if minute < kept.minute:
        now = kept.minute * MINUTE
    elif minute > kept.minute:
        age = aged(counter, kept, minute)
    passed = [older(kept.nodes[i], age) for i in path_of(kept, number)]
    found = block_of(counter, kept, number, now)
    wait, surge, watched = 0, None, False
    if found >= 0:
        block = kept.blocks[found]
        watched = blocks.stage_of(counter, block, now) is Stage.WATCHED
        if not known and blocks.refuses(counter, block, now):
            wait = waiting(counter, block, now)
    if not wait and not known and (watched or found < 0) and number not in passed[-1].samples:
        surge = surging(counter, taught(kept, age), passed, len(number), watched)
        if surge:
            wait = blocks.lasts(counter, 0) + blocks.proof_lasts(counter)
    return TrieLook(counter, now, number, kept, age, passed[0].recent // UNIT, found, surge, wait)


def replaced(kept: Kept, at: int, block: Block) -> Kept:
    """The same with one block changed."""
    return kept._replace(blocks=(*kept.blocks[:at], block, *kept.blocks[at + 1 :]))


def waiting(counter: Trie, block: Block, now: int) -> int:
    """Until the first canary may pass."""
    if blocks.stage_of(counter, block, now) is Stage.CANARY:
        return blocks.lasts(counter, block.level + 1) + blocks.proof_lasts(counter)
    return block.until + blocks.proof_lasts(counter) - now


def block_of(counter: Trie, kept: Kept, number: str, now: int) -> int:
    """The index of the block that a number is in, or -1."""
    for i, block in enumerate(kept.blocks):
        gone = blocks.stage_of(counter, block, now) is Stage.GONE
        if number.startswith(block.prefix) and not gone:
            return i
    return -1


def path_of(kept: Kept, number: str) -> list[int]:
    """The nodes that a number passes, from the root."""
    path, nodes = [0], kept.nodes
    for digit in number[: len(number) - DEEPEST]:
        kids = nodes[path[-1]].kids
        if not kids or not kids[int(digit)]:
            break
        path.append(kids[int(digit)])
    return path


def surging(
    counter: Trie, taught: int, passed: list[Node], size: int, watched: bool
) -> Surge | None:
    """The deepest of the nodes passed that has more than can be explained."""
    minimum, h = counter.minimum, round(1000 * counter.h)
    if watched:
        minimum, h = max(SPLIT_AT, (minimum + 1) // 2), h // 2
    root, found = passed[0], None
    usual, share = float(FLOOR * UNIT), 1.0
    if taught:
        usual = max(usual, float(root.learned) * counter.seconds / 60 / taught * UNIT)
    for depth in range(1, len(passed)):
        node, above = passed[depth], passed[depth - 1]
        free = size - depth
        prior = KAPPA * UNIT * (0.1 if free <= UNIFORM else 0.5 if free == UNIFORM + 1 else 1.0)
        share = share * (node.learned + prior) / (above.learned + KAPPA * UNIT)
        count = float(node.recent + UNIT)
        if free > counter.widest or share > 0.5 or count < minimum * UNIT:
            continue
        rest = float(max(0, root.recent - node.recent))
        expected = max(usual, rest / (1 - share)) * share
        if deviance(count / UNIT, expected / UNIT) * 1000 >= h:
            found = Surge(depth, min(RECENT_MOST, math.floor(expected)))
    return found


def deviance(count: float, expected: float) -> float:
    """Of a Poisson count, in nats."""
    if count <= expected:
        return 0.0
    return count * ln(count / expected) - (count - expected)


def counted(kept: Kept, path: list[int], number: str) -> Kept:
    """One admission more. Who asks again is one person still."""
    if number in kept.nodes[path[-1]].samples:
        return kept
    nodes = list(kept.nodes)
    for i in path:
        nodes[i] = nodes[i]._replace(recent=min(RECENT_MOST, nodes[i].recent + UNIT))
    at, depth = path[-1], len(path) - 1
    last, deepest = nodes[at], len(number) - DEEPEST
    if last.kids:
        if depth < deepest and len(nodes) < NODES:
            sprout(nodes, at, int(number[depth]), number, len(number) - depth - 1 <= UNIFORM)
        return kept._replace(nodes=tuple(nodes))
    if depth < deepest and last.recent >= max(SPLIT_AT * UNIT, nodes[0].recent // CROWDED):
        grow(nodes, at, depth, number)
    else:
        nodes[at] = last._replace(samples=(number, *last.samples)[:SAMPLES])
    return kept._replace(nodes=tuple(nodes))


def sprout(nodes: list[Node], at: int, digit: int, number: str, even: bool) -> None:
    """A child for a digit that was not there, with its part of what nobody else has learned."""
    parent = nodes[at]
    others = [nodes[kid].learned for kid in parent.kids if kid]
    left = max(0, parent.learned - sum(others)) // (10 - len(others) if even else 2)
    kids = list(parent.kids)
    kids[digit] = len(nodes)
    nodes[at] = parent._replace(kids=tuple(kids))
    nodes.append(Node(UNIT, left, (), (number,)))


def grow(nodes: list[Node], at: int, depth: int, number: str) -> None:
    """Splits a node by what is known of its latest numbers, and again while they stay together."""
    numbers = (number, *nodes[at].samples)
    deepest = len(number) - DEEPEST
    while True:
        together = {
            each[depth]: ()
            for each in sorted(numbers, key=lambda n: n[depth : depth + 1])
            if depth < len(each)
        }
        if len(nodes) + len(together) > NODES:
            nodes[at] = nodes[at]._replace(samples=numbers[:SAMPLES])
            return
        even = len(number) - depth - 1 <= UNIFORM
        kids, learned = [0] * 10, nodes[at].learned // (10 if even else len(together) + 1)
        for digit in together:
            mine = tuple(each for each in numbers if each[depth : depth + 1] == digit)
            kids[int(digit)] = len(nodes)
            nodes.append(Node(UNIT * len(mine), learned, (), mine[:SAMPLES]))
        nodes[at] = nodes[at]._replace(kids=tuple(kids), samples=())
        at, depth = kids[int(number[depth])], depth + 1
        if nodes[at].recent < SPLIT_AT * UNIT or depth >= deepest:
            return


def aged(counter: Trie, kept: Kept, minute: int) -> Age:
    """How much older what is stored is in a later minute."""
    hours = minute // 60 - kept.minute // 60
    keep = power(1 - 60_000 / (counter.seconds * 1000), minute - kept.minute)
    return Age(minute, keep, power(1 - 1 / HOURS, hours))


def older(node: Node, age: Age) -> Node:
    """What has happened since leaks from what is recent into what is learned."""
    recent = math.floor(node.recent * age.keep)
    learned = math.floor((node.learned + node.recent - recent) * age.forget)
    samples = node.samples[: (recent + UNIT - 1) // UNIT]
    return Node(recent, min(LEARNED_MOST, learned), node.kids, samples)


def taught(kept: Kept, age: Age) -> int:
    """The minutes in which was learned, in 256ths."""
    minutes = age.minute - kept.minute
    return min(LEARNED_MOST, math.floor((kept.taught + UNIT * minutes) * age.forget))


def swept(kept: Kept, age: Age) -> Kept:
    """All nodes at their age, without those that are neither recent nor a notable part of what is
    learned. Once a minute at most, and only for who is admitted or begins an alarm."""
    if age.minute == kept.minute:
        return kept
    root, roomy = older(kept.nodes[0], age), len(kept.nodes) < ROOMY
    notable = max(4 * UNIT, root.learned // (NOTABLE if roomy else NOTABLE // 2))
    alive = UNIT if roomy else max(2 * UNIT, root.recent // NOTABLE)
    nodes: list[Node] = []

    def keep(node: Node) -> int:
        place = len(nodes)
        nodes.append(node)
        kids = [0] * 10
        for digit, kid in enumerate(node.kids):
            if kid:
                child = older(kept.nodes[kid], age)
                if child.recent >= alive or child.learned >= notable:
                    kids[digit] = keep(child)
        nodes[place] = node._replace(kids=tuple(kids) if any(kids) else ())
        return place

    keep(root)
    return Kept(age.minute, taught(kept, age), tuple(nodes), kept.blocks)
