"""Findings, and what they score together, add up to one decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision, Finding, met
from pumpguard.masking import block_of, new_reference
from pumpguard.rules.challenge import USED
from pumpguard.store.base import Answer

UNAVAILABLE = Finding("store", Action.THROTTLE, "STORE_UNAVAILABLE", retry_after=1.0)
"""What refuses where nobody could count."""

OVERLOADED = Finding("load", Action.THROTTLE, "OVERLOADED", retry_after=1.0)
"""What refuses where too many wait already (`pumpguard.store.line`)."""

UNEXPLAINED = Finding("store", Action.THROTTLE, "LIMIT")
"""What refuses where a limit did and its rule said nothing: what is not charged must not go out."""


def combine(attempt: Attempt, findings: Sequence[Finding], answer: Answer) -> Decision:
    """The strictest of the findings that refuse decides; all others stand beside it."""
    if not findings and answer.admitted:
        return Decision(
            attempt, degraded=answer.degraded, known=answer.known, reservation=answer.ticket
        )
    findings = [_with_block(finding, attempt.phone.e164) for finding in findings]
    if attempt.proved and any(finding.code == USED for finding in findings):
        attempt = replace(attempt, proved=False)  # what was shown before proves nothing now
    refusing = [finding for finding in findings if refuses(finding, attempt)]
    if not refusing and not answer.admitted:
        refused = UNAVAILABLE if answer.degraded else UNEXPLAINED
        refusing = [OVERLOADED if answer.crowded else refused]
        findings += refusing
    action = max([finding.action for finding in refusing], default=Action.ALLOW)
    if len(findings) > 1:
        findings.sort(key=lambda finding: (finding.mode != "enforce", -finding.action))
    return Decision(
        attempt,
        action,
        tuple(findings),
        allowed_because=_why(findings) if action is Action.ALLOW else None,
        degraded=answer.degraded,
        known=answer.known,
        reservation=answer.ticket,
        reference=new_reference() if action else "",
    )


def refuses(finding: Finding, attempt: Attempt) -> bool:
    """Whether this finding refuses this attempt: it is enforced, and asks for more than the proof
    that was given."""
    return finding.mode == "enforce" and not met(finding.action, attempt.proved)


def _with_block(finding: Finding, number: str) -> Finding:
    """A finding about a block of numbers, with its digits: an order needs them."""
    block = block_of(finding.subject, number)
    if block is None:
        return finding
    evidence = {**finding.evidence, "prefix": block}
    facts = finding.action, finding.code, evidence, finding.retry_after, finding.weight
    return Finding(finding.rule, *facts, block, finding.mode)  # `replace` is slow


def _why(findings: Sequence[Finding]) -> str | None:
    """Why a request was let through in spite of findings."""
    if any(f.mode == "enforce" and f.action is Action.CHALLENGE for f in findings):
        return "proved"
    return "monitored" if findings else None
