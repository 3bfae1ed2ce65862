"""Two workers of gunicorn, forked after the app was imported; one is killed while it works."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pumpguard.store.embedded import EmbeddedServer
from tests.conftest import PATIENT
from tests.frameworks.served import Served
from tests.frameworks.table import GUNICORN, THREADS

APP = "tests.wsgi.slow_app:app"
LIMIT = 6
"""Messages an hour to one number, as that app's policy says."""


@pytest.fixture(params=["sync", "threads"])
def app(request: pytest.FixtureRequest, servers: dict[str, EmbeddedServer]) -> Iterator[Served]:
    options = THREADS if request.param == "threads" else ()
    environment = {"STORE": servers["valkey"].url, "POLICY_NAME": f"wsgi-{os.urandom(6).hex()}"}
    with Served((*GUNICORN, "--workers", "2", *options, APP), **environment) as served:
        yield served


def test_two_workers_share_every_limit(app: Served) -> None:
    """Whichever of them is asked."""
    with ThreadPoolExecutor(8) as pool:
        workers, end = set[int](), time.monotonic() + PATIENT
        while len(workers) < 2:
            assert time.monotonic() < end
            others = [f"+4474002{len(workers)}{os.urandom(2)[0]:03}{n}" for n in range(8)]
            replies = [reply for reply in pool.map(app.ask, others) if reply.is_success]
            workers |= {reply.json()["worker"] for reply in replies}
        replies = list(pool.map(lambda _: app.ask("+447400123456"), range(20)))
    assert sorted(reply.status_code for reply in replies) == [202] * LIMIT + [429] * (20 - LIMIT)
    assert len(app.sent("+447400123456")) == LIMIT


def test_a_worker_is_killed_in_the_middle_of_a_request(app: Served) -> None:
    """What it was charged stays charged, once: no more than the limit is ever sent, and no less
    than the limit without that one message."""
    phone = "+447400123457"
    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(app.ask, phone, note="hang")
        end = time.monotonic() + PATIENT
        while not (begun := app.sent(phone)):
            assert time.monotonic() < end
            time.sleep(0.01)
        os.kill(int(begun[0].removeprefix("hanging in ")), signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            dying.result()
    statuses = [app.ask(phone).status_code for _ in range(LIMIT + 2)]
    assert statuses == [202] * (LIMIT - 1) + [429] * 3
    assert app.sent(phone)[1:] == ["hello"] * (LIMIT - 1)


def test_a_worker_that_is_stopped_leaves_in_good_order(app: Served) -> None:
    """It has had a request, closes its guard, and says nothing about it."""
    assert app.ask("+447400123459").status_code == 202
    app.process.terminate()
    assert app.process.wait(PATIENT) == 0
    assert "Traceback" not in app.log


def test_what_a_view_says_is_told_at_once(app: Served) -> None:
    """The view waits until the store has heard it; no other request has to come first."""
    phone = "+447400123458"
    assert app.ask(phone).status_code == 202
    assert app.ask(phone, "/app/verified").json() == {"told": True}
    assert app.ask(phone).json()["known"] is True
