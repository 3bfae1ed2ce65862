"""A policy's chain: the default rules or its own, changed as it says, and checked together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from math import inf
from typing import TypeAlias

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.attempt import Attempt, Phone
from pumpguard.config import build, join, one_of
from pumpguard.errors import PolicyError
from pumpguard.rules import KINDS, EarnedTrust, FunctionRule, Rule, SlidingBan
from pumpguard.rules.limits_notation import check_dimension
from pumpguard.rules.settling import Settling, follows_from_the_number
from pumpguard.store.sharding import too_small

RuleChanges: TypeAlias = Mapping[str, Mapping[str, object]]

SETTLING = Settling()
TRUST = EarnedTrust()
OF_THEIR_OWN_ACCORD: Mapping[str, Rule] = {SETTLING.name: SETTLING, TRUST.name: TRUST}
"""Rules that a policy has where others need them."""


def assemble(
    rules: object, default: tuple[Rule, ...], *, verified: bool, own: Iterable[str] = ()
) -> tuple[Rule, ...]:
    """The chain of a policy: the default one, that one with changes, or one of its own.

    ``verified`` says whether the guard hears of verifications, ``own`` names the policy's own
    dimensions. Rules about money and verifications
    bring `Settling` along. Raises `PolicyError` with the path of what is wrong.
    """
    if isinstance(rules, Mapping):
        chain = _changed(default, rules)
    elif rules is None:
        chain = default
    elif isinstance(rules, tuple):
        chain = tuple(_as_rule(rule, i) for i, rule in enumerate(rules))
    else:
        raise PolicyError("rules", "a list of rules, or a table of changes by rule name", rules)
    chain = _fed_by_what_is_on([rule for rule in chain if rule.mode != "off"], default)
    chain = _with_trust(chain)
    if not verified:
        _check_needs(chain)
    _check_dimensions(chain, tuple(own))
    chain = _with_settling(chain, verified)
    _check_names(chain)
    _check_weights(chain)
    return chain


def _fed_by_what_is_on(chain: Sequence[Rule], default: Sequence[Rule]) -> tuple[Rule, ...]:
    """The chain whose default bans, where nobody changed them, have forgotten rules that are off; a
    ban that nothing feeds any more is left out."""
    names, found = {rule.name for rule in chain}, list[Rule]()
    for rule in chain:
        if isinstance(rule, SlidingBan) and rule.after and any(rule is each for each in default):
            after = tuple(name for name in rule.after if name in names)
            if len(after) < len(rule.after):
                if after:
                    found.append(replace(rule, after=after))
                continue
        found.append(rule)
    return tuple(found)


def _check_needs(chain: tuple[Rule, ...]) -> None:
    for rule in chain:
        if getattr(rule, "needs_verifications", False):
            expected = f"the route where codes are entered, or settled=true: {rule.name!r} needs it"
            raise PolicyError("verify", expected, None)


def _with_trust(chain: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The chain with what has been earned remembered, if some rule gives room for it."""
    asked = [by for rule in chain for by in getattr(rule, "earns", ())]
    own = [rule for rule in chain if isinstance(rule, EarnedTrust)]
    if not asked:
        return chain
    trust = own[0] if own else TRUST
    trust = replace(trust, by=tuple(dict.fromkeys([*trust.by, *asked])))
    return (*(rule for rule in chain if not isinstance(rule, EarnedTrust)), trust)


def _with_settling(chain: tuple[Rule, ...], verified: bool) -> tuple[Rule, ...]:
    """The chain with what its rules need remembered, if they need anything."""
    if not any(getattr(rule, "settles", False) for rule in chain):
        return chain
    told = [by for rule in chain for by in getattr(rule, "dimensions", ())]
    own = [rule for rule in chain if isinstance(rule, Settling)]
    settling = own[0] if own else Settling()
    asked = [*settling.remembers, *(by for by in told if not follows_from_the_number(by))]
    settling = replace(settling, remembers=tuple(dict.fromkeys(asked)), verified=verified)
    return (settling, *(rule for rule in chain if not isinstance(rule, Settling)))


def _changed(chain: tuple[Rule, ...], changes: RuleChanges) -> tuple[Rule, ...]:
    """The default chain with some rules changed, and new ones, with a ``rule``, at its end."""
    by_name = {rule.name: rule for rule in chain}
    for name, change in changes.items():
        path = f"rules.{name}"
        if not isinstance(change, Mapping):
            raise PolicyError(path, "a table", change)
        settings = {key: value for key, value in change.items() if key != "rule"}
        if "rule" in change:
            kind = KINDS.get(asked := str(change["rule"]))
            if kind is None:
                raise PolicyError(join(path, "rule"), one_of(asked, list(KINDS)), change["rule"])
            by_name[name] = _build_rule(kind, {**settings, "name": name}, path)
        elif name in by_name or name in OF_THEIR_OWN_ACCORD:
            old = by_name[name] if name in by_name else OF_THEIR_OWN_ACCORD[name]
            kept = {f.name: getattr(old, f.name) for f in fields(old) if f.init}  # type: ignore[arg-type]
            build_check = {**kept, **settings}
            by_name[name] = _build_rule(type(old), build_check, path)
        else:
            known = ", ".join(sorted(by_name))
            raise PolicyError(path, f"one of {known}, or a new rule with 'rule = …'", name)
    return tuple(by_name.values())


def _build_rule(kind: type[Rule], table: Mapping[str, object], path: str) -> Rule:
    try:
        return build(kind, table, path)
    except TypeError as error:  # a required setting is missing
        raise PolicyError(path, f"all required settings ({error})") from None


def _as_rule(rule: object, i: int) -> Rule:
    if isinstance(rule, Rule):
        return rule
    if callable(rule):
        return FunctionRule(rule)
    raise PolicyError(f"rules.{i}", "a rule, or a function of an attempt", rule)


def _check_names(chain: tuple[Rule, ...]) -> None:
    names = [rule.name for rule in chain]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise PolicyError(f"rules.{name}", "a name that no other rule has", name)
    for rule in chain:
        for after in rule.after if isinstance(rule, SlidingBan) else ():
            if after not in names:
                raise PolicyError(
                    f"rules.{rule.name}.after", f"names of rules ({', '.join(names)})", after
                )


def _check_weights(chain: tuple[Rule, ...]) -> None:
    for rule in chain:
        weight = getattr(rule, "weight", 1.0)
        if not (isinstance(weight, int | float) and 0 < weight < inf):
            raise PolicyError(f"rules.{rule.name}.weight", "a factor above 0", weight)


def _check_dimensions(chain: tuple[Rule, ...], own: Sequence[str]) -> None:
    """What rules say they are kept by exists; of those that do not say, what they declare."""
    for rule in chain:
        for field, by in _named(rule):
            for part in by.split("+"):
                check_dimension(part, f"rules.{rule.name}{field}", own)


def _named(rule: Rule) -> Iterator[tuple[str, str]]:
    """Every dimension that a rule names, with where it does."""
    for field in ("by", "of", "lines", "remembers"):
        value = getattr(rule, field, ())
        if isinstance(value, str):
            yield f".{field}", value
        elif isinstance(value, Mapping | Sequence):
            for i, name in enumerate(value):
                yield f".{field}.{name if isinstance(value, Mapping) else i}", str(name)
    try:
        declared = rule.counters(Attempt(Phone("+1000000000", None, 1)))
    except Exception:  # a bug of the rule's, which the chain can live with
        return
    for counter in declared:
        yield "", counter.by
        if counter.member is not None:
            yield "", counter.member


def check_shards(chain: Sequence[Rule], shards: int) -> None:
    """Every shard gets a part of the limits that belong to no destination; none may be zero."""
    for region in sorted(SUPPORTED_REGIONS):
        attempt = Attempt(Phone("+1000000000", region, 1))
        for rule in chain:
            counter = too_small(rule.counters(attempt), shards)
            if counter is not None:
                expected = f"at most the smallest limit by {counter.by} (rule {rule.name!r})"
                raise PolicyError("shards", expected, shards)
