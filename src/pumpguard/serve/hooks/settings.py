"""Reads ``hooks.toml``: the sender, and the identity servers that may ask it."""

from __future__ import annotations

import inspect
import os
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from starlette.routing import BaseRoute, Mount

import pumpguard.senders
from pumpguard.config import importable, one_of, require
from pumpguard.errors import PolicyError
from pumpguard.guard import Guard
from pumpguard.receipts import Receipts
from pumpguard.senders.feedback import Feedback
from pumpguard.serve.hooks import Hook, Hooks
from pumpguard.serve.hooks.checks import check_secret
from pumpguard.serve.hooks.kinds import KINDS

TEXT = "{code} is your code."

DEADLINE = 4.0
"""Seconds for the provider, by default: Supabase waits for five in all."""

SETTINGS = ("server", "secret", "text", "path")

Send = Callable[[str, str], Any]


def hooks_of(path: Path, guard: Guard) -> tuple[BaseRoute, ...]:
    """The routes that a file asks for. Raises `PolicyError`."""
    send, hooks, receipts = read_hooks(path, guard)
    routes: tuple[BaseRoute, ...] = Hooks(guard, send, hooks).routes
    return routes if receipts is None else (*routes, Mount("/receipts", receipts))


def read_hooks(path: Path, guard: Guard) -> tuple[Send, list[Hook], Receipts | None]:
    """The sender, the hooks, and the provider's receipts. Values such as ``env:NAME`` stand in the
    environment. Raises `PolicyError` with the path of what is wrong, without repeating a secret."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PolicyError("hooks", f"a readable file ({error.strerror})", str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError("hooks", f"TOML ({error})") from None
    for name in table:
        expected = "a table [sender], [[hook]] for each server, and perhaps [receipts]"
        require(name in ("sender", "hook", "receipts"), name, expected)
    hooks = table.get("hook")
    require(isinstance(hooks, list) and hooks, "hook", "a table [[hook]] for each server")
    found = [_hook(each, f"hook.{i}") for i, each in enumerate(hooks or ())]
    paths = [each.path for each in found]
    require(len({*paths}) == len(paths), "hook.path", "a path of its own for each", paths)
    with importable(path.parent):
        receipts = _receipts(table.get("receipts"), guard)
        return _sender(table.get("sender"), receipts, guard), found, receipts


def _receipts(table: object, guard: Guard) -> Receipts | None:
    if table is None:
        return None
    require(isinstance(table, dict), "receipts", "a table of the settings of pumpguard.receipts")
    settings = _settings(cast(dict[str, Any], table), "receipts")
    try:
        return Receipts(guard, **settings)
    except TypeError as error:  # a setting that is missing, or unknown
        raise PolicyError("receipts", f"the settings of pumpguard.receipts ({error})") from None


def _hook(table: Mapping[str, Any], path: str) -> Hook:
    for name, value in table.items():
        require(name in SETTINGS, f"{path}.{name}", one_of(name, SETTINGS))
        require(isinstance(value, str), f"{path}.{name}", "text")
    server = table.get("server", "")
    require(server in KINDS, f"{path}.server", one_of(server, list(KINDS)), server)
    secret = _from_environment(table.get("secret", ""), f"{path}.secret")
    check_secret(KINDS[server].check, secret, f"{path}.secret")
    text = table.get("text", TEXT)
    try:
        right = "12345" in text.format(code="12345")
    except (KeyError, IndexError, ValueError):
        right = False
    require(right, f"{path}.text", "a text with {code} in it", text)
    where = table.get("path", f"/hooks/{server}")
    right = where.startswith("/hooks/") and "{" not in where
    require(right, f"{path}.path", "a path below /hooks/", where)
    return Hook(kind=KINDS[server], secret=secret, text=text, path=where)


def _settings(table: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {
        name: _from_environment(value, f"{path}.{name}") if isinstance(value, str) else value
        for name, value in table.items()
    }


def _sender(table: object, receipts: Receipts | None, guard: Guard) -> Send:
    if not isinstance(table, dict) or not isinstance(table.get("provider"), str):
        raise PolicyError("sender.provider", f"one of {', '.join(_providers())}, or 'module:name'")
    settings = _settings(table, "sender")
    name = settings.pop("provider")
    if ":" in name:
        require(not settings, "sender", "nothing beside the provider 'module:name'")
        return _imported(name)
    require(name in _providers(), "sender.provider", one_of(name, _providers()), name)
    settings.setdefault("deadline", DEADLINE)
    kind = getattr(pumpguard.senders, name)
    if receipts is not None:
        settings["sent"] = receipts.sent
        told_where = "callback" in inspect.signature(kind).parameters
        if told_where and kind.provider in receipts.providers:
            settings.setdefault("callback", receipts.callback(kind.provider))
    try:
        if name in ("Sns", "EndUserMessaging"):
            settings["client"] = _aws(name, settings.pop("region", None))
        send: Any = kind(**settings)
    except TypeError as error:  # a setting that is missing, or unknown
        raise PolicyError("sender", f"the settings of pumpguard.senders.{name} ({error})") from None
    if send.feedback:
        Feedback(guard, send)
    return cast(Send, send)


def _providers() -> list[str]:
    bases = ("HttpSender", "Sender", "NotSent", "ProviderAway", "SendUnknown")
    return [name for name in pumpguard.senders.__all__ if name not in bases]


def _imported(name: str) -> Send:
    module, _, attribute = name.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PolicyError("sender.provider", f"a function ({error})", name) from None
    require(callable(found), "sender.provider", "a function of a number and a text", name)
    send: Send = found
    return send


def _aws(name: str, region: str | None) -> Any:
    import boto3
    from botocore.config import Config

    service = "sns" if name == "Sns" else "pinpoint-sms-voice-v2"
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=DEADLINE)
    return boto3.client(service, region_name=region, config=once)


def _from_environment(value: str, path: str) -> str:
    if not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    require(os.environ.get(name), path, f"a value in the environment variable {name}")
    return os.environ[name]
