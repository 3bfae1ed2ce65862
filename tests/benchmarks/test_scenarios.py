"""The measuring itself, in miniature: what it finds is not asserted, only that it finds it."""

from __future__ import annotations

import socket
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.kit.delay import delayed
from benchmarks.kit.load import wire_format
from benchmarks.kit.servers import server
from benchmarks.kit.traffic import traffic
from benchmarks.report.picture import draw
from benchmarks.scenarios.growth import COUNTS, rules
from benchmarks.scenarios.live_subjects import RULE, fill
from benchmarks.scenarios.over_admission import fullest, fullest_windows
from benchmarks.systems.ours import guard


def test_the_fullest_window_is_found_wherever_it_lies() -> None:
    assert fullest([(0.0, 0.0), (0.6, 0.6), (0.9, 0.9), (1.1, 1.1)], seconds=1.0) == 3
    assert fullest([(0.0, 0.0), (1.0, 1.0)], seconds=1.0) == 1


def test_what_may_have_fallen_outside_does_not_count() -> None:
    assert fullest([(0.0, 0.1), (0.5, 1.2)], seconds=1.0) == 1


def test_every_limit_of_every_subject_is_looked_at() -> None:
    admitted = [("+441", "a", n / 100, n / 100) for n in range(5)]
    assert fullest_windows(admitted)[:3] == [(5, 3), (5, 8), (5, 200)]
    assert len(fullest_windows(admitted)) == 9


def test_policies_of_so_many_rules() -> None:
    assert [len(guard("memory://", rules(count)).policy.chain) for count in COUNTS] == [1, 4, 8, 16]


async def test_live_subjects_are_copies_in_the_stores_own_format() -> None:
    with server() as store:
        async with AsyncExitStack() as stack:
            asked = guard(store.url, [RULE], stack, name="live")
            await fill(store, asked, 20_500)
        keys, without_ttl = store.keys()
        mark = int(
            store.admin.exists("pg1:{live}:guards")
        )  # of the guard itself, in the background
        assert (keys - mark, without_ttl) == (20_500, 0)


def test_the_proxy_delays_and_changes_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        with (
            delayed(listener.getsockname()[1], 0.001) as port,
            socket.create_connection(("127.0.0.1", port), timeout=5) as near,
        ):
            near.sendall(b"as it is")
            assert near.recv(64) == b"as it is"


def _echo(listener: socket.socket) -> None:
    far, _ = listener.accept()
    with far:
        while data := far.recv(64):
            far.sendall(data)


def test_the_load_client_speaks_http() -> None:
    request = traffic(200)[0]
    head, _, body = wire_format(request).partition(b"\r\n\r\n")
    assert body == request.body
    assert b"content-length: %d" % len(body) in head.lower()


def test_the_picture_is_drawn_from_the_results() -> None:
    picture = draw(results())
    assert picture.startswith(b"\x89PNG")
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == [1600, 900]


def test_one_scenario_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def found(_: object) -> dict[str, Any]:
        return {"bytes_per_subject": 171.0, "keys_without_ttl": 0}

    monkeypatch.setitem(command.SCENARIOS, "memory", found)
    monkeypatch.setattr(command, "traffic", lambda: ())
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setattr("logging.disable", lambda _: None)
    assert command.main(["--quick", "--only", "memory", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["latest.json"]
    assert "missed" in capsys.readouterr().out


def results() -> dict[str, Any]:
    """As little as a picture can be drawn from."""
    value = {"median": 40.0, "low": 30.0, "high": 50.0}
    small = {"median": 0.4, "low": 0.3, "high": 0.5}
    mode = {"microseconds": value, "added_to_bare": small}
    system = {"title": "it", "limits": 8, "concurrent": mode}
    return {
        "about": {
            "machine": "here", "server": "valkey", "python": "3", "at": "2026-01-01", "quick": True,
            "packages": {"fastapi": "1"},
        },
        "in_process": {
            "bare": {**system, "kind": "bare"},
            "pumpguard": {**system, "kind": "ours"},
            "peer": {**system, "kind": "peer"},
        },
        "far_redis": {
            "ping_microseconds": value,
            "systems": {"pumpguard": {"title": "it", "pings": small}},
        },
        "growth": {"rules": {str(n): {"added_microseconds": value} for n in COUNTS}},
    }  # fmt: skip
