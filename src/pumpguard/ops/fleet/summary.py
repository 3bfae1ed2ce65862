"""A fleet's sums as JSON, for programs and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumpguard.ops.fleet.attack import Attack, Place, attack
from pumpguard.ops.fleet.deliveries import deliveries
from pumpguard.ops.fleet.desk import Story
from pumpguard.ops.fleet.period import Period
from pumpguard.ops.fleet.view import FleetView
from pumpguard.ops.fleet.words import lines


def summary(view: FleetView) -> dict[str, Any]:
    """Who speaks, the last hour, the last day, what is under attack, alerts (as events), and what
    guards have noticed. Times are Unix seconds, money USD."""
    return {
        "at": view.at,
        "processes": [
            {"id": each.id, "silent": each.silent, "since": each.since, "decided": each.decided,
             "speaks": each.speaks}
            for each in view.processes
        ],
        "oldest_word": view.oldest,
        "hour": period(view.hour),
        "day": {"since": view.since, **period(view.day)},
        "minutes": [
            {"at": at, **{str(action): n for action, n in counts.items() if n}}
            for at, counts in view.by_minute()
        ],
        "attack": attack_json(attack(view)),
        "alerts": view.alerts,
        "noticed": [each._asdict() for each in view.noticed],
    }  # fmt: skip


def period(seen: Period) -> dict[str, Any]:
    """The sums of an hour or a day."""
    return {
        "requests": seen.requests,
        "by_action": {name: amount.n for name, amount in seen.actions.items()},
        "spent": seen.spent,
        "refused": seen.refused,
        "by_country": {
            country: {
                "requests": sum(amount.n for amount in by_action.values()),
                "spent": seen.of_country(country)[0],
                "refused": seen.of_country(country)[1],
            }
            for country, by_action in sorted(seen.countries.items())
        },
        "by_rule": {rule: dict(said) for rule, said in sorted(seen.rules.items())},
        "outcomes": dict(seen.outcomes),
        "deliveries": [each.to_json() for each in deliveries(seen)],
    }


def attack_json(found: Attack) -> dict[str, Any]:
    """What is under attack."""
    return {
        "since": found.since,
        "refused": found.refused.n,
        "usd": found.refused.usd,
        "places": places(found.places),
        "networks": [
            {"network": network, "country": country, "refused": amount.n, "usd": amount.usd}
            for network, country, amount in found.networks
        ],
    }


def places(found: Sequence[Place]) -> list[dict[str, Any]]:
    """Countries, ranges or blocks."""
    return [
        {
            "name": place.name,
            "kind": place.kind,
            "country": place.country,
            "since": place.since,
            "refused": place.refused.n,
            "refused_usd": place.refused.usd,
            "now": place.now.n,
            "now_usd": place.now.usd,
            "rises": place.rises,
            "let_through": place.sent.n,
            "spent": place.sent.usd,
            "rules": place.by,
            "parts": places(place.parts),
            "others": place.others,
        }
        for place in found
    ]


def story_json(story: Story) -> dict[str, Any]:
    """A story for programs."""
    decision = story.explanation.decision
    return {
        "subject": story.shown,
        "action": str(decision.action),
        "known": decision.known,
        "findings": [
            {"rule": f.rule, "code": f.code, "action": str(f.action), "mode": f.mode,
             "evidence": dict(f.evidence), "retry_after": f.retry_after}
            for f in decision.findings
        ],
        "rules": [
            {"rule": rule.name, "mode": rule.mode,
             "code": None if rule.finding is None else rule.finding.code, "counters": lines(rule)}
            for rule in story.rules
        ],
        "events": list(story.events),
        "listings": [
            {"verdict": each.verdict, "kind": each.kind, "shown": each.shown, "until": each.until}
            for each in story.listings
        ],
        "bans": [
            {"id": ban.id, "rule": ban.rule, "subject": ban.subject, "until": ban.until}
            for ban in story.bans
        ],
    }  # fmt: skip
