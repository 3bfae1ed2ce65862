"""How the class of a rule becomes a frozen dataclass, and what is refused in it."""

from __future__ import annotations

import inspect
import re
from abc import ABC
from copy import copy
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Self, TypeVar, dataclass_transform, get_type_hints

FIELDS = "__dataclass_fields__"

D = TypeVar("D", bound="Declared")


# To mypy a field that is frozen is a property, and ``name = "night"`` could not override it.
@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Declared(ABC):
    """The base of classes that are frozen dataclasses, decorated or not."""

    name: str

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        complete(cls)
        return super().__new__(cls)

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        own = vars(cls)
        if FIELDS in own:
            return  # dataclass(slots=True) makes a class once more
        for base in cls.__bases__:
            if issubclass(base, Declared):
                complete(base)
        _refuse_misspelt(cls)
        for word in ("judge", "counters"):
            if inspect.iscoroutinefunction(own.get(word)):
                raise TypeError(f"{cls.__name__}.{word} has to be a plain function, without async")
        if "counters" in own:
            for word, value in (("declares_by", None), ("needs_readings", True)):
                if word not in own:
                    setattr(cls, word, value)
        if "name" not in own:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        # A setting that is given without an annotation (name = "night") is a setting all the same.
        for word in getattr(cls, FIELDS, {}).keys() & own.keys() - inspect.get_annotations(cls):
            base = next(each for each in cls.__mro__[1:] if word in inspect.get_annotations(each))
            cls.__annotations__[word] = get_type_hints(base)[word]


def complete(cls: type[Declared]) -> None:
    """Make a dataclass of a class whose author has not. One that has an ``__init__`` of its own, or
    inherits one, stays a plain class."""
    own = [each for each in cls.__mro__ if FIELDS not in vars(each)]
    if cls in own[:1] and not any("__init__" in vars(each) for each in own if each is not object):
        dataclass(frozen=True, kw_only=True)(cls)


def changed(rule: D, name: str, value: object) -> D:
    """A copy with another value. What was made of its settings is not made anew."""
    rule = copy(rule)
    object.__setattr__(rule, name, value)
    return rule


def _refuse_misspelt(cls: type[Declared]) -> None:
    """Raise `TypeError` for a class attribute or method that looks like a misspelt word of a base
    class, because it would be ignored. Annotated settings may be called anything."""
    words = {word for base in cls.__mro__[1:-1] for word in vars(base)}
    settings = {
        n for n, hint in inspect.get_annotations(cls).items() if "ClassVar" not in str(hint)
    }
    for name in vars(cls).keys() - words - settings:
        near = get_close_matches(name, words, n=1, cutoff=0.82)
        if near and not name.startswith("_"):
            raise TypeError(
                f"{cls.__name__}.{name} is nothing that rules know: did you mean {near[0]!r}? "
                "If not, rename it, or begin it with '_'."
            )
