"""A policy's chain: the default rules or its own, changed as it says, and checked together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, replace
from math import inf

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.attempt import Attempt, Phone
from pumpguard.config import build, imported, join, one_of, require
from pumpguard.errors import PolicyError
from pumpguard.rules import RULE_CLASSES, FunctionRule, Placed, Rule, SlidingBan
from pumpguard.rules.base import check_dimension
from pumpguard.rules.declared import changed, complete

NAMING_DIMENSIONS = ("by", "of", "lines")
"""What a rule's settings are called that name dimensions."""

logger = logging.getLogger("pumpguard")


def assemble(
    rules: object,
    default: tuple[Rule, ...],
    *,
    extra: object = (),
    verified: bool,
    own: Iterable[str] = (),
) -> tuple[Rule, ...]:
    """The chain of a policy: the default one, that one with changes, or one of its own; and
    ``extra`` rules in it.

    ``verified`` says whether verifications are reported to the guard, ``own`` names the policy's
    own dimensions. Raises `PolicyError` with the path of what is wrong.
    """
    if isinstance(rules, Mapping):
        given = _changed(default, rules)
    elif rules is None:
        given = list(default)
    elif isinstance(rules, tuple):
        given = [as_rule(rule, f"rules.{i}") for i, rule in enumerate(rules)]
    else:
        expected = "a list of rules, or a table of changes by rule name"
        raise PolicyError("rules", f"{expected}; to add a rule use extra_rules=[…]", rules)
    _add(given, extra)
    chain = _drop_disabled_feeders([rule for rule in given if rule.mode != "off"], default)
    _check(chain, verified, tuple(own))
    return chain


def warn_without_defaults(rules: object, chain: Sequence[Rule]) -> None:
    """Log if ``rules=[…]`` has left only rules of the app's own, which is hardly ever meant; unless
    it names none at all."""
    built_in = tuple(RULE_CLASSES.values())
    if isinstance(rules, tuple) and rules and not any(isinstance(r, built_in) for r in chain):
        logger.warning(
            "PG004 rules=[…] replaces the default rules and has none of them; "
            "to add rules to the default ones use extra_rules=[…]"
        )


def _changed(default: Sequence[Rule], changes: Mapping[str, object]) -> list[Rule]:
    """The default chain with some rules changed, and new ones, with a ``rule``, at its end or where
    ``before`` or ``after`` says."""
    chain = list(default)
    for name, change in changes.items():
        path = f"rules.{name}"
        if not isinstance(change, Mapping):
            expected = "a table of settings; to add a rule object use extra_rules=[…]"
            raise PolicyError(path, expected, change)
        names = [rule.name for rule in chain]
        i = names.index(name) if name in names else len(chain)
        where = dict[str, object]()
        if "rule" in change:
            kind = _kind(change["rule"], join(path, "rule"))
            settings = {word: value for word, value in change.items() if word != "rule"}
            # A ban has a setting ``after`` of its own.
            words = {"before", "after"}.difference(each.name for each in fields(kind))
            where = {word: settings.pop(word) for word in words & settings.keys()}
            if len(where) > 1:
                raise PolicyError(path, "before or after another rule, not both", where)
            settings["name"] = name
        elif name in names:
            kind = type(chain[i])
            kept = {each.name: getattr(chain[i], each.name) for each in fields(kind) if each.init}
            settings = {**kept, **change}
        else:
            known = ", ".join(sorted(names))
            raise PolicyError(path, f"one of {known}, or a new rule with 'rule = …'", name)
        rule = build(kind, settings, path)
        chain[i : i + 1] = [] if where else [rule]
        for word, other in where.items():
            _place(chain, rule, word, other, join(path, word))
    return chain


def _kind(name: object, path: str) -> type[Rule]:
    """A class of rules by what a policy file calls it: a kind of ours, or ``"module:Class"``."""
    text = str(name)
    if ":" not in text:
        known = one_of(text, list(RULE_CLASSES))
        require(text in RULE_CLASSES, path, f"{known}, or 'module:Class'", name)
        return RULE_CLASSES[text]
    found = imported(text, path)
    if not (isinstance(found, type) and issubclass(found, Rule)):
        raise PolicyError(path, "a subclass of pumpguard.Rule", name)
    complete(found)
    return found


def as_rule(rule: object, path: str) -> Rule:
    """A rule of a policy's own list; a plain function is one of its name. Raises `PolicyError`."""
    if isinstance(rule, Rule):
        return rule
    expected = "a rule: an object of a class that subclasses pumpguard.Rule"
    if isinstance(rule, type) and issubclass(rule, Rule):
        expected = f"a rule, not its class: {rule.__name__}(…)"
    elif not (isinstance(rule, type) or hasattr(rule, "judge")):
        if callable(rule):
            return FunctionRule(name=getattr(rule, "__name__", type(rule).__name__), function=rule)
        expected = "a rule, or a function of an attempt"
    raise PolicyError(path, expected, rule)


def _add(chain: list[Rule], extra: object) -> None:
    if not isinstance(extra, tuple):
        to_change = "; to change rules by name use rules={…}" if isinstance(extra, Mapping) else ""
        raise PolicyError("extra_rules", f"a list of rules{to_change}", extra)
    for i, each in enumerate(extra):
        path = f"extra_rules.{i}"
        if isinstance(each, Placed):
            _place(chain, as_rule(each.rule, path), each.where, each.name, path)
        else:
            chain.append(as_rule(each, path))


def _place(chain: list[Rule], rule: Rule, where: str, name: object, path: str) -> None:
    names = [each.name for each in chain]
    if name not in names:
        raise PolicyError(path, f"{where} one of {', '.join(names)}", name)
    chain.insert(names.index(str(name)) + (where == "after"), rule)


def _drop_disabled_feeders(chain: Sequence[Rule], default: Sequence[Rule]) -> tuple[Rule, ...]:
    """The chain in which unchanged default bans no longer name rules that are off in ``after``; a
    ban that no rule feeds is left out."""
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


def in_monitor(rules: Sequence[Rule], names: Set[str]) -> tuple[Rule, ...]:
    """The rules, of which those with these names are recorded only."""
    return tuple([changed(r, "mode", "monitor") if r.name in names else r for r in rules])


def without_verifications(chain: Sequence[Rule]) -> tuple[Rule, ...]:
    """The chain, in which rules that need verifications, and bans after these alone, monitor."""
    silent = {rule.name for rule in chain if rule.needs_verifications}
    bans = [rule for rule in chain if isinstance(rule, SlidingBan) and rule.after]
    return in_monitor(chain, silent.union(b.name for b in bans if silent.issuperset(b.after)))


def _check(chain: Sequence[Rule], verified: bool, own: Sequence[str]) -> None:
    """Whether names, weights and dimensions are right, and the rules have what they need."""
    names = [rule.name for rule in chain]
    for i, rule in enumerate(chain):
        name, path = rule.name, f"rules.{rule.name}"
        if not name:
            raise PolicyError("rules", "a name for every rule", rule)
        if name in names[:i]:
            raise PolicyError(path, "a name that no other rule has", name)
        if not verified and (rule.needs_verifications or rule.earned_by):
            expected = f"the route where codes are entered, or settled=true: {name!r} needs it"
            raise PolicyError("verify", expected, None)
        if not (isinstance(rule.weight, int | float) and 0 < rule.weight < inf):
            raise PolicyError(f"{path}.weight", "a factor above 0", rule.weight)
        for after in rule.after if isinstance(rule, SlidingBan) else ():
            if after not in names:
                raise PolicyError(f"{path}.after", f"names of rules ({', '.join(names)})", after)
        for field, by in _dimensions(rule):
            for part in by.split("+"):
                check_dimension(part, path + field, own)


def _dimensions(rule: Rule) -> Iterator[tuple[str, str]]:
    """Every dimension that a rule's settings name, with where they do, or that it declares."""
    for field in (each.name for each in fields(rule) if each.name in NAMING_DIMENSIONS):
        value = getattr(rule, field)
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
            for counter in rule.counters(attempt):
                if not (counter.has_destination or counter.divisible(shards)):
                    expected = f"at most the smallest limit by {counter.by} (rule {rule.name!r})"
                    raise PolicyError("shards", expected, shards)
