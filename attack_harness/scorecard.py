"""The comparison of two runs over the same day: money saved, and real users harmed."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from .attackers.seed_simulator import SeedSimulator
from .books import Books
from .countries import HOME
from .figures import Table, money
from .harm import users_entry
from .savings import STEP, RunResult, attack_entry, saved, timeline
from .user import USERS
from .world import World


def score(world: World, without: RunResult, guarded: RunResult, details: Table) -> Table:
    """The whole scorecard as JSON; ``details`` are the caller's facts about the run."""
    attacks = {a.name: attack_entry(a, without, guarded) for a in world.attacks}
    users = users_entry(without.outcomes, guarded.outcomes, _attacked(world, without))
    return {
        "summary": summary(attacks, users),
        "attacks": attacks,
        "users": users | _users_spend(without, guarded),
        "refusals_by_rule": dict(guarded.books.firewall.get("by_rule", {})),
        "timeline": {
            "step_seconds": STEP,
            "without": timeline(without.books.ledger, world.days),
            "with": timeline(guarded.books.ledger, world.days),
        },
        "run": details | _run_entry(world, without, guarded),
        "metrics_output": {
            "without": metrics_output(world, without.books),
            "with": metrics_output(world, guarded.books),
        },
    }


def summary(attacks: Table, users: Table) -> Table:
    """The headline numbers."""
    without = sum(a["without"]["spend"] for a in attacks.values())
    guarded = sum(a["with"]["spend"] for a in attacks.values())
    worst = min(attacks.values(), key=lambda a: a["saved"], default=None)
    before = [a["before_first_refusal"] for a in attacks.values()]
    return {
        "attack_spend_without": money(without),
        "attack_spend_with": money(guarded),
        "saved": saved(without, guarded),
        "worst_attack": worst and worst["name"],
        "worst_attack_saved": worst and worst["saved"],
        "messages_before_first_refusal": sum(b["messages"] for b in before),
        "spend_before_first_refusal": money(sum(b["spend"] for b in before)),
        "users": users["total"],
        "users_harmed": users["harmed"],
        "users_harmed_share": users["harmed_share"],
        "users_challenged": users["challenged"],
    }


def _attacked(world: World, run: RunResult) -> frozenset[str]:
    """The countries abroad that received an attack's messages, by the provider's ledger.

    Home countries are left out: their many users would hide the few who are at risk.
    """
    return (
        frozenset(m.country for attack in world.attacks for m in run.paid(attack.name))
        - HOME.keys()
    )


def _users_spend(without: RunResult, guarded: RunResult) -> Table:
    open_, shut = (money(sum(m.price for m in run.paid(USERS))) for run in (without, guarded))
    return {"spend_without": open_, "spend_with": shut}


def metrics_output(world: World, books: Books) -> Table:
    """The fields of ``metrics_output.json`` as the public SMS Pumping Simulator exports them."""
    seed = SeedSimulator()
    attack = next((a for a in world.attacks if a.name == seed.name), None)
    config = attack and {
        "rps": seed.requests_per_second,
        "workers": seed.concurrent_workers,
        "duration": round(len(attack.shots) / seed.requests_per_second / seed.concurrent_workers),
        "phone_reuse_ratio": seed.phone_reuse_ratio,
        "unique_phones": len(attack.phones),
    }
    return {
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "attack_config": config,
        "otp_billing": dict(books.otp_billing),
        "provider_billing": dict(books.provider_billing),
        "firewall_metrics": dict(books.firewall),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _run_entry(world: World, without: RunResult, guarded: RunResult) -> Table:
    packages = ("pumpguard", "phonenumbers", "iptocc", "iporigin")
    return {
        "seed": world.seed,
        "versions": {package: _version(package) for package in packages},
        "prices": without.books.provider_billing.get("prices"),
        "calls": {"without": without.log.calls, "with": guarded.log.calls},
        "wall_seconds": {
            "without": round(without.wall_seconds, 2),
            "with": round(guarded.wall_seconds, 2),
        },
    }
