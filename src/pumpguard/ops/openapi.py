"""A policy's routes and fields beside what the app says of itself: its OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pumpguard.intake.routes import ANY, METHODS, REST, SAFE_METHODS, Route, normal, parse
from pumpguard.policy import Policy
from pumpguard.store.health import Concern

NO_OPERATION, NO_FIELD, UNGUARDED = "PG149", "PG150", "PG151"

DEEPEST = 8
"""How far references and combinations of schemas are followed."""

NUMBER = re.compile(r"phone|mobile|msisdn|(?:^|_)tel(?:$|_)", re.I)
SENDS = re.compile(
    r"otp|sms|code|send|invit|sign_?-?(?:up|in)|log_?-?in|register|password|[2m]fa", re.I
)
"""What fields with a number, and operations that send to it, tend to be called."""

PATH = re.compile(r"^[a-z]+://[^/]*")
"""What stands before the path of a server's URL."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path: ``"POST /otp/send"``. ``fields`` are what it takes, by source, and in
    a body by their path; ``whole`` are the sources of which it names all."""

    method: str
    path: str
    called: str = ""
    fields: Mapping[str, Set[str]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def meant_by(self, route: Route, prefixes: Sequence[str]) -> bool:
        """Whether the route guards it, perhaps behind one of the servers' prefixes."""
        wanted = route.text.split()[-1]
        return route.guards(self.method) and any(
            _may_be_one(wanted, prefix + self.path) for prefix in ("", *prefixes)
        )

    def lacks(self, named: str) -> str | None:
        """Where a field of the policy should be and is not, if the document says enough."""
        source, colon, name = named.partition(":")
        sources = (source,) if colon else ("json", "form")
        name = name if colon else source
        if any(name in self.fields.get(each, ()) for each in sources):
            return None
        declared = [each for each in sources if each in self.whole]
        if not declared or (not colon and {"json", "form"} & self.fields.keys() - self.whole):
            return None
        has = sorted(set[str]().union(*(self.fields[each] for each in declared)))
        kind = "body" if {"json", "form"} & set(declared) else declared[0]
        return f"{self} has no {name!r} in its {kind}, which has {', '.join(has) or 'nothing'}"


def route_concerns(policy: Policy, document: Json) -> Iterator[Concern]:
    """What does not fit: routes that the app has not, fields that its requests have not, and
    operations that look as if they sent messages and are not guarded. Raises `ValueError` if it is
    no OpenAPI document."""
    if "paths" not in document:
        raise ValueError("no OpenAPI document: it has no paths")
    known, prefixes = list(operations(document)), _prefixes(document)
    meant = set[str]()
    asked: list[tuple[str, str | Sequence[str], object]] = [("send", policy.send, policy.phone)]
    if policy.verify is not None:
        said = policy.phone if policy.verify_phone is None else policy.verify_phone
        asked.append(("verify", policy.verify, None if policy.flow else said))
    for where, texts, number in asked:
        for text in (texts,) if isinstance(texts, str) else texts:
            route = parse(text, where)
            found = [each for each in known if each.meant_by(route, prefixes)]
            meant.update(map(str, found))
            if not found:
                yield Concern(NO_OPERATION, where, _no_operation(text, known))
            elif isinstance(number, str) and not policy.phone_optional:
                lacking = [each.lacks(number) for each in found]
                if all(lacking):
                    yield Concern(NO_FIELD, "phone" if where == "send" else where, f"{lacking[0]}")
    for each in known:
        if each.method not in SAFE_METHODS and str(each) not in meant and (name := _number(each)):
            what = f"{each} takes {name!r} and is not guarded; if it sends messages, add it"
            yield Concern(UNGUARDED, "send", what)


def operations(document: Json) -> Iterator[Operation]:
    """All that the document has. What is not of OpenAPI's shape is passed over."""
    for path, item in _object(document.get("paths")).items():
        item = _object(item)
        shared = _list(item.get("parameters"))
        for method, said in item.items():
            if method.upper() not in METHODS or not isinstance(said, Mapping):
                continue
            parameters = [*shared, *_list(said.get("parameters"))]
            fields = _bodies(said, document)
            whole = {source for source, names in fields.items() if names}
            # Where an app reads queries and headers by hand, the document has no parameters.
            for source in ("path", "query", "header") if parameters else ("path",):
                fields[source] = set()
                whole.add(source)
            for each in (_resolved(parameter, document) for parameter in parameters):
                fields.setdefault(str(each.get("in")), set()).add(str(each.get("name")))
            called = f"{said.get('operationId', '')} {said.get('summary', '')}"
            yield Operation(method.upper(), path, called, fields, frozenset(whole))


def _bodies(said: Json, document: Json) -> dict[str, set[str]]:
    """The fields of an operation's bodies, of JSON and of forms."""
    found: dict[str, set[str]] = {}
    body = _resolved(said.get("requestBody"), document)
    for kind, content in _object(body.get("content")).items():
        names = _names(_object(content).get("schema"), document)
        found.setdefault("json" if "json" in kind else "form", set()).update(names)
    return found


def _names(schema: object, document: Json, before: str = "", depth: int = 0) -> Iterator[str]:
    """The properties of a schema, those of objects in it by their path (``user.phone``)."""
    known = _resolved(schema, document)
    if depth > DEEPEST:
        return
    for name, inner in _object(known.get("properties")).items():
        yield f"{before}{name}"
        yield from _names(inner, document, f"{before}{name}.", depth + 1)
    for together in ("allOf", "anyOf", "oneOf"):
        for part in _list(known.get(together)):
            yield from _names(part, document, before, depth + 1)


def _resolved(each: object, document: Json) -> Json:
    """Without its reference, if that leads somewhere in the document."""
    for _ in range(DEEPEST):
        known = _object(each)
        if "$ref" not in known:
            return known
        each = document
        for step in str(known["$ref"]).removeprefix("#/").split("/"):
            each = _object(each).get(step.replace("~1", "/").replace("~0", "~"))
    return {}


def _object(each: object) -> Json:
    return each if isinstance(each, Mapping) else {}


def _list(each: object) -> Sequence[Any]:
    return each if isinstance(each, list) else ()


def _prefixes(document: Json) -> list[str]:
    """The paths under which the document's servers have the app."""
    urls = [str(_object(server).get("url", "")) for server in _list(document.get("servers"))]
    found = [PATH.sub("", url).rstrip("/") for url in urls]
    return [path for path in found if path.startswith("/")]


def _may_be_one(route: str, template: str) -> bool:
    """Whether there is a request that both a route of a policy and a path of a document mean."""
    ours, theirs = normal(route).lower().split("/"), normal(template).lower().split("/")
    if ours[-1] == REST:
        ours = ours[:-1]
        theirs = theirs[: len(ours)]
    return len(ours) == len(theirs) and all(
        mine in (other, ANY) or "{" in mine or "{" in other
        for mine, other in zip(ours, theirs, strict=True)
    )


def _no_operation(text: str, known: Sequence[Operation]) -> str:
    paths = {each.path: each for each in known}
    near = get_close_matches(text.split()[-1], paths, n=1, cutoff=0.5)
    path = text.split()[-1].lower()
    ending = [each for each in known if each.path.lower().endswith(path)]
    other = ending[0] if ending else paths[near[0]] if near else None
    return f"the app has no {text}" + ("" if other is None else f"; did you mean {other}?")


def _number(operation: Operation) -> str | None:
    """The field with a number of an operation that looks as if it sent messages."""
    if not SENDS.search(f"{operation.path} {operation.called}"):
        return None
    names = sorted(set[str]().union(*operation.fields.values()))
    return next((name for name in names if NUMBER.search(name.rpartition(".")[2])), None)
