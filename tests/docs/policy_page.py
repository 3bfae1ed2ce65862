"""Writes docs/policy.md out of what the settings say: ``python -m tests.docs.policy_page``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from inspect import getdoc
from pathlib import Path

from pumpguard import Policy
from pumpguard.outcomes import Outcomes
from pumpguard.overrides.posture import Escalation
from pumpguard.risk import Risk
from pumpguard.rules import RULE_CLASSES, Rule
from pumpguard.rules.declared import complete
from pumpguard.rules.hold_out import HoldOut

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"

COMMON = ("name", "mode", "action", "weight", "regions", "except_regions",
          "ask_first", "needs_challenge")  # fmt: skip
"""Settings that every rule has, or many; the page says once what they are."""

SECTION = re.compile(r"^(\w[\w ]+):$")
ENTRY = re.compile(r"^ {4}((?:``\w+``(?:, )?)+): (.*)$")

HEAD = """# Every setting of a policy

Written by `python -m tests.docs.policy_page` out of the docstrings; a test holds it to them. The
same names stand in Python and in TOML:

```python
from pumpguard import Guard, Policy

limits = {"phone_limit": {"limits": "1/minute; 4/day"}}
policy = Policy(send="/otp/send", home=["GB"], rules=limits)
policy = Policy.from_toml("policy.toml")
guard = Guard("policy.toml", "redis://…", on_decision=lambda decision: print(decision.explain()))
```

- **Begin** with `mode = "monitor"`, and look at what would have been refused.
- **A field** is `"phone"` (JSON or form), `"json:user.phone"`, `"form:…"`, `"query:…"`, `"path:…"`,
  `"header:…"`, for dimensions also `"cookie:…"`; or a function of the request's fields
  ([requests.md](requests.md)).
- **Several routes**: `send = ["/sign-up", "POST /people/{phone}/code"]`, with
  `phone = "path:phone"` where the number is in the path.
- **A number in two parts**: `phone = "number"`, `code = "country_code"`. **National numbers**:
  `region = "GB"`.
- **A rule** is changed by its name, and added with `rule = …` ([write-a-rule.md](write-a-rule.md));
  the default ones are in [defaults.py](../src/pumpguard/rules/defaults.py), each with its source.
- A mistake is a `PolicyError` with its exact path. Check a file: `pumpguard exposure policy.toml`.
"""

RULES = """## The rules

Their settings stand under `[rules.NAME]` in a file. All have `name`, `mode` (`"enforce"`,
`"monitor"`, `"off"`), `action` and `weight` (in the risk score). `budget`, `conversion`, `credit`
and `rate_limit` may be for numbers of some `regions` (ISO 3166), or of all but `except_regions`.
With `ask_first` a refusal is told to clients that have solved a challenge, and the others are asked
for one; a rule with `needs_challenge` is only recorded where the guard has no `challenge=`.
"""

TABLES = {"risk": Risk, "escalation": Escalation, "hold_out": HoldOut, "outcomes": Outcomes}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    defaults = {field.name: _default(field) for field in fields(Policy) if field.init}
    for title, entries in _sections(getdoc(Policy) or ""):
        parts.append(f"## {title}\n\n| setting | default | |\n| --- | --- | --- |")
        for names, text in entries:
            shown = ", ".join(f"`{name}`" for name in names)
            given = ", ".join(dict.fromkeys(defaults.pop(name) for name in names))
            parts[-1] += f"\n| {shown} | {given} | {text} |"
        parts[-1] += "\n"
    if missing := defaults.keys():
        raise LookupError(f"Policy's docstring says nothing of {', '.join(sorted(missing))}")
    for name, table in TABLES.items():
        rows = "\n".join(f"| `{field.name}` | {_default(field)} |" for field in fields(table))
        doc = _escaped(getdoc(table) or "").replace("\n    ", "\n")
        heading = f"## The table `[{name}]`\n\n{doc}\n"
        parts.append(f"{heading}\n| setting | default |\n| --- | --- |\n{rows}\n")
    parts.append(RULES)
    parts += [_rule(name, kind) for name, kind in sorted(RULE_CLASSES.items())]
    return "\n".join(parts)


def _rule(name: str, kind: type[Rule]) -> str:
    """What a rule does, and its settings."""
    complete(kind)
    text = re.sub(r"\n\n( {4}.*\n)+", "\n", f"{getdoc(kind)}\n")  # without its examples
    own = [field for field in fields(kind) if field.init and field.name not in COMMON]
    settings = ", ".join(f"`{field.name}` ({_default(field).strip('`')})" for field in own)
    return f"### `{name}`\n\n{_escaped(' '.join(text.split()))}\n\nSettings: {settings}.\n"


def _sections(doc: str) -> Iterator[tuple[str, list[tuple[list[str], str]]]]:
    """The sections of a docstring, and in each the settings and what is said of them."""
    title, entries = "", list[tuple[list[str], str]]()
    for line in doc.splitlines():
        if found := SECTION.match(line):
            if title:
                yield title, entries
            title, entries = found[1], []
        elif found := ENTRY.match(line):
            # Further settings may begin within an entry's line.
            entries.append((re.findall(r"``(\w+)``", found[1]), _escaped(found[2])))
        elif title and line.strip():
            names, text = entries[-1]
            entries[-1] = names, f"{text} {_escaped(line.strip())}"
    yield title, entries


def _escaped(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _default(field: Field[object]) -> str:
    if field.default_factory is not MISSING:
        return "see below" if field.name in TABLES else "`{}`"
    if field.default is MISSING:
        return "required"
    if field.default is None:
        return "none"
    return f"`{field.default!r}`".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
