"""What an event says of a decision's findings: each with its evidence, and what would have let it
pass."""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from pumpguard.attempt import PREFIX, SUBJECTS, Attempt
from pumpguard.decision import Action, Decision, Finding
from pumpguard.masking import Block
from pumpguard.ops.masking import masked_value, personal

PLAIN = frozenset(SUBJECTS) | {f"{PREFIX}{drop}" for drop in range(1, 15)}
"""Evidence that names no person."""

WORDS = [str(action) for action in Action]

CHALLENGE = Action.CHALLENGE  # looking up an enum's member takes as long as a call

INFINITE = float("inf")

JSON = {True: "true", False: "false", None: "null"}


def told_findings(decision: Decision) -> tuple[str, str]:
    """The narrowest block that they show, and what is said behind ``score``."""
    found, attempt = decision.findings, decision.attempt
    blocks = [each.subject for each in found if isinstance(each.subject, Block)]
    told = ",".join([_found(each, attempt) for each in found])
    return max(blocks, key=len, default=""), f'{_score(decision.score)},"findings":[{told}]'


def passes(finding: Finding) -> str:
    """What would have let the same request pass this rule."""
    if not finding.action or finding.mode != "enforce":
        return "as it is"
    way = "with proof" if finding.action is CHALLENGE else ""
    if finding.retry_after is not None:
        way += f"{' or ' if way else ''}in {finding.retry_after:.0f} s"
    return way or "if an operator allows it"


def _found(finding: Finding, attempt: Attempt) -> str:
    evidence = ",".join(
        [
            f"{quoted(name)}:{value if type(value) is int else _value(value, attempt)}"
            for name, value in finding.evidence.items()
        ]
    )
    head = _finding(finding.rule, finding.code, finding.action, finding.mode)
    return f'{head}"evidence":{{{evidence}}},"passes":"{passes(finding)}"}}'


@lru_cache(maxsize=1_024)
def _finding(rule: str, code: str, action: Action, mode: str) -> str:
    """How a finding begins: the same for all of one rule's."""
    return (
        f'{{"rule":{quoted(rule)},"code":{quoted(code)},"action":"{WORDS[action]}","mode":"{mode}",'
    )


def _value(value: object, attempt: Attempt) -> str:
    """A piece of evidence; texts are masked, as they may be personal data."""
    if isinstance(value, str):
        if isinstance(value, Block) or len(value) < 3 or value in PLAIN:
            return quoted(value)
    elif isinstance(value, float):
        return f"{value:.9g}" if -INFINITE < value < INFINITE else f'"{value}"'
    elif isinstance(value, bool) or value is None:
        return JSON[value]
    elif isinstance(value, int):
        return str(int(value))
    text = str(value)
    hidden = [each for each in personal(attempt) if each in text]
    return quoted(str(masked_value(text, hidden))) if hidden else _text(text)


@lru_cache(maxsize=256)
def _text(text: str) -> str:
    """A text of evidence that repeats nothing of its request, such as ``3/day``, masked."""
    return quoted(str(masked_value(text)))


@lru_cache(maxsize=1_024)
def _score(score: float) -> str:
    return f"{score:.6g}"
