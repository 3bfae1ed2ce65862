"""The page about frameworks: its examples, as they stand there, over memory."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.test.utils import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from pumpguard import Action, Guard, Policy
from pumpguard.shadow.open_requests import OPEN
from tests.asgi import PHONE, call, request, started
from tests.wsgi.test_wsgi import Called

PAGE = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
BODY = json.dumps({"phone": PHONE}).encode()


def block(part: str) -> str:
    """The only example with these words in it."""
    found: list[str] = [each for each in BLOCKS if part in each]
    assert len(found) == 1, part
    return found[0].replace("redis://localhost:6379", "memory://")


@pytest.fixture(autouse=True)
def _modules() -> Iterator[None]:
    """``guarding`` and ``worker`` as the page has them, for one example."""
    OPEN.clear()
    for name in ("guarding", "worker"):
        sys.modules[name] = module = ModuleType(name)
        exec(block(f"# {name}.py"), vars(module))
    yield
    for name in ("guarding", "worker"):
        del sys.modules[name]


def run(part: str) -> dict[str, Any]:
    """The names that an example defines. It is a module: frameworks look their types up in it."""
    module = sys.modules["example"] = ModuleType("example")
    exec(block(part), vars(module))
    return vars(module)


@csrf_exempt  # type: ignore[untyped-decorator]
def view(request: HttpRequest) -> JsonResponse:
    """Django's own, which the page does not show."""
    phone = json.loads(request.body)["phone"]
    return JsonResponse({"sent": sys.modules["guarding"].send_sms(phone, "hello")})


class Urls:
    urlpatterns = [path("otp/send", view)]  # noqa: RUF012 - as Django wants it


if not settings.configured:
    settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="of this test")


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("app.add_middleware(PumpGuardMiddleware", "app"),
        ("import Litestar", "app"),
        ("app.asgi_app =", "app"),
        ("# asgi.py", "application"),
        ("import Application, FromJSON", "app"),
        ("from falcon.asgi", "app"),
        ("from sanic", "app"),
        ("Depends(guard.protect(", "app"),
    ],
)
async def test_an_asgi_app_is_guarded(part: str, name: str) -> None:
    """The first message goes out, and a second one within a minute does not."""
    app = run(part)[name]
    life = await started(app) if "sanic" in part or "FromJSON" in part else None
    scope = request(headers={"content-length": str(len(BODY))})
    with override_settings(ROOT_URLCONF=Urls):
        statuses = [(await call(app, scope, BODY)).status for _ in range(2)]
    assert statuses[0] in (200, 201)
    assert statuses[1] == 429
    if life is not None:
        life.cancel()


@pytest.mark.parametrize(
    ("part", "name"),
    [("# wsgi.py", "application"), ("app.wsgi_app =", "app"), ("@guard.protected(", "app")],
)
def test_a_wsgi_app_is_guarded(part: str, name: str) -> None:
    app = run(part)[name]
    with override_settings(ROOT_URLCONF=Urls):
        called = [Called(app, BODY) for _ in range(2)]
        assert [bool(each.body) for each in called] == [True, True]
    assert [each.status[:3] for each in called] == ["200", "429"]


def test_a_worker_asks_and_obeys() -> None:
    """By itself, in Celery, and in RQ, which is given the same function."""
    worker = sys.modules["worker"]
    assert [worker.send_code(PHONE, "81.2.69.142") for _ in range(2)] == [True, False]
    task = run("# tasks.py")["app"].tasks["send_code"]
    assert task.apply(args=[PHONE, "81.2.69.142"]).get() is False
    assert task.apply(args=["+447400123457"]).get() is True


def test_rq_is_given_the_function(monkeypatch: pytest.MonkeyPatch, valkey_url: str) -> None:
    from redis import Redis

    names = run("# for RQ")
    monkeypatch.setitem(names, "Redis", lambda: Redis.from_url(valkey_url))
    job = names["enqueue"](PHONE, "81.2.69.142")
    assert (job.func_name, job.args) == ("worker.send_code", (PHONE, "81.2.69.142"))
    assert job.perform() is True
    job.delete()


async def test_several_policies_stand_in_one_app() -> None:
    """Each counts for itself."""
    names = run("# policies.py")

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = names["guarded"](inner)
    paths = ("/sign-up", "/login", "/sign-up", "/login")
    statuses = [(await call(app, request(path=path), BODY)).status for path in paths]
    assert statuses == [200, 200, 429, 429]


async def test_a_named_server_says_who_asks() -> None:
    policy: Policy = run("client=")["policy"]
    guard = Guard(policy)
    body = {"user": {"phone": PHONE}, "metadata": {"ip_address": "81.2.69.142"}}
    scope = request(path="/hooks/send-sms", client=("10.0.0.7", 1))
    read, _ = await guard.reader.read(scope, _arriving(json.dumps(body).encode()), {})
    assert read[0].client.address == "81.2.69.142"
    assert (await guard.decide(read[0])).action is not Action.BLOCK


def _arriving(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def test_nothing_on_the_page_is_left_out() -> None:
    """Every example is run by one of these tests."""
    parts = [
        "# guarding.py", "# worker.py", "app.add_middleware(PumpGuardMiddleware", "import Litestar",
        "app.asgi_app =", "# asgi.py", "import Application, FromJSON", "from falcon.asgi",
        "from sanic", "Depends(guard.protect(", "# wsgi.py", "app.wsgi_app =", "@guard.protected(",
        "# tasks.py", "# for RQ", "# policies.py", "client=",
    ]  # fmt: skip
    assert sorted(map(block, parts)) == sorted(
        each.replace("redis://localhost:6379", "memory://") for each in BLOCKS
    )
