"""A policy's chain: the default rules or its own, changed as it says, and checked together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from importlib import import_module
from math import inf
from typing import Any, TypeAlias

from phonenumbers import SUPPORTED_REGIONS

from pumpguard.attempt import Attempt, Phone
from pumpguard.config import build, join, one_of
from pumpguard.errors import PolicyError
from pumpguard.rules import KINDS, FunctionRule, Placed, Rule, SlidingBan
from pumpguard.rules.declared import complete
from pumpguard.rules.limits_notation import check_dimension

RuleChanges: TypeAlias = Mapping[str, Mapping[str, object]]

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
        given = [_as_rule(rule, f"rules.{i}") for i, rule in enumerate(rules)]
    else:
        expected = "a list of rules, or a table of changes by rule name"
        raise PolicyError("rules", f"{expected}; to add a rule use extra_rules=[…]", rules)
    _add(given, extra)
    chain = _drop_disabled_feeders([rule for rule in given if rule.mode != "off"], default)
    if not verified:
        _check_needs(chain)
    _check_dimensions(chain, tuple(own))
    _check_names(chain)
    _check_weights(chain)
    return chain


def warn_without_defaults(rules: object, chain: Sequence[Rule]) -> None:
    """Log if ``rules=[…]`` has left only rules of the app's own, which is hardly ever meant."""
    if isinstance(rules, tuple) and chain and not any(map(_is_built_in, chain)):
        logger.warning(
            "PG004 rules=[…] replaces the default rules and has none of them; "
            "to add rules to the default ones use extra_rules=[…]"
        )


def _is_built_in(rule: Rule) -> bool:
    return isinstance(rule, tuple(KINDS.values()))


def _add(chain: list[Rule], extra: object) -> None:
    if isinstance(extra, Mapping):
        expected = "a list of rules; to change rules by name use rules={…}"
        raise PolicyError("extra_rules", expected, extra)
    if not isinstance(extra, tuple):
        raise PolicyError("extra_rules", "a list of rules", extra)
    for i, each in enumerate(extra):
        path = f"extra_rules.{i}"
        if isinstance(each, Placed):
            _place(chain, _as_rule(each.rule, path), each.where, each.name, path)
        else:
            chain.append(_as_rule(each, path))


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


def _check_needs(chain: tuple[Rule, ...]) -> None:
    for rule in chain:
        if rule.needs_verifications or rule.earned_by:
            expected = f"the route where codes are entered, or settled=true: {rule.name!r} needs it"
            raise PolicyError("verify", expected, None)


def _changed(chain: tuple[Rule, ...], changes: RuleChanges) -> list[Rule]:
    """The default chain with some rules changed, and new ones, with a ``rule``, at its end or where
    ``before`` or ``after`` says."""
    found = list(chain)
    for name, change in changes.items():
        path = f"rules.{name}"
        if not isinstance(change, Mapping):
            raise PolicyError(
                path, "a table of settings; to add a rule object use extra_rules=[…]", change
            )
        i = next((i for i, rule in enumerate(found) if rule.name == name), len(found))
        where = dict[str, object]()
        if "rule" in change:
            settings = {key: value for key, value in change.items() if key != "rule"}
            kind = _kind(change["rule"], join(path, "rule"))
            # A ban has a setting ``after`` of its own.
            words = {"before", "after"}.difference(each.name for each in fields(kind))
            where = {word: settings.pop(word) for word in words & settings.keys()}
            if len(where) > 1:
                raise PolicyError(path, "before or after another rule, not both", where)
            rule = _build_rule(kind, {**settings, "name": name}, path)
        elif i < len(found):
            old = found[i]
            kept = {each.name: getattr(old, each.name) for each in fields(old) if each.init}
            rule = _build_rule(type(old), {**kept, **change}, path)
        else:
            known = ", ".join(sorted(rule.name for rule in found))
            raise PolicyError(path, f"one of {known}, or a new rule with 'rule = …'", name)
        if not where:
            found[i : i + 1] = [rule]
        for word, other in where.items():
            found[i : i + 1] = []
            _place(found, rule, word, other, join(path, word))
    return found


def _kind(name: object, path: str) -> type[Rule]:
    """A class of rules by what a policy file calls it: a kind of ours, or ``"module:Class"``."""
    text = str(name)
    if ":" not in text:
        if text not in KINDS:
            raise PolicyError(path, f"{one_of(text, list(KINDS))}, or 'module:Class'", name)
        return KINDS[text]
    module, _, attribute = text.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except AttributeError:
        raise PolicyError(path, f"a class of the module {module}", name) from None
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise PolicyError(path, f"a module that can be imported ({said})", name) from error
    if not (isinstance(found, type) and issubclass(found, Rule)):
        raise PolicyError(path, "a subclass of pumpguard.Rule", name)
    complete(found)
    return found


def _build_rule(kind: type[Rule], table: Mapping[str, object], path: str) -> Rule:
    try:
        return build(kind, table, path)
    except TypeError as error:  # a required setting is missing
        raise PolicyError(path, f"all required settings ({error})") from None


def _as_rule(rule: object, path: str) -> Rule:
    if isinstance(rule, Rule):
        return rule
    if isinstance(rule, type):
        is_rule = f"a rule, not its class: {rule.__name__}(…)"
        raise PolicyError(path, is_rule if issubclass(rule, Rule) else SUBCLASS, rule)
    if hasattr(rule, "judge"):
        raise PolicyError(path, SUBCLASS, rule)
    if callable(rule):
        return FunctionRule(name=getattr(rule, "__name__", type(rule).__name__), function=rule)
    raise PolicyError(path, "a rule, or a function of an attempt", rule)


SUBCLASS = "a rule: an object of a class that subclasses pumpguard.Rule"


def _check_names(chain: tuple[Rule, ...]) -> None:
    names = [rule.name for rule in chain]
    for i, name in enumerate(names):
        if not name:
            raise PolicyError("rules", "a name for every rule", chain[i])
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
        if not (isinstance(rule.weight, int | float) and 0 < rule.weight < inf):
            raise PolicyError(f"rules.{rule.name}.weight", "a factor above 0", rule.weight)


def _check_dimensions(chain: tuple[Rule, ...], own: Sequence[str]) -> None:
    """What rules say they are kept by exists; of those that do not say, what they declare."""
    for rule in chain:
        for field, by in _named(rule):
            for part in by.split("+"):
                check_dimension(part, f"rules.{rule.name}{field}", own)


def _named(rule: Rule) -> Iterator[tuple[str, str]]:
    """Every dimension that a rule names, with where it does."""
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
