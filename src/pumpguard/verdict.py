"""Findings add up to one decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision, Finding, met
from pumpguard.rules.challenge import USED


def verdict(
    attempt: Attempt,
    findings: Sequence[Finding],
    admitted: bool = True,
    degraded: bool = False,
    known: bool = False,
    reservation: bytes = b"",
) -> Decision:
    """The strictest of the findings that stand decides; all others stand beside it."""
    if any(finding.code == USED for finding in findings):
        attempt = replace(attempt, proved=False)  # what was shown before proves nothing now
    standing = [finding for finding in findings if stands(finding, attempt)]
    if not standing and not admitted:
        # A rule declared a limit, the limit refused, and the rule said nothing about it. What was
        # not charged must not be sent.
        standing = [Finding("store", Action.THROTTLE, "LIMIT")]
        findings = [*findings, *standing]
    action = max((finding.action for finding in standing), default=Action.ALLOW)
    return Decision(
        attempt,
        action,
        tuple(sorted(findings, key=lambda finding: (finding.mode != "enforce", -finding.action))),
        allowed_because=_why(findings) if action is Action.ALLOW else None,
        degraded=degraded,
        known=known,
        reservation=reservation,
    )


def _why(findings: Sequence[Finding]) -> str | None:
    if any(f.mode == "enforce" and f.action is Action.CHALLENGE for f in findings):
        return "proved"
    return "monitored" if findings else None


def stands(finding: Finding, attempt: Attempt) -> bool:
    """Whether this finding refuses this attempt."""
    return finding.mode == "enforce" and not met(finding.action, attempt.proved)
