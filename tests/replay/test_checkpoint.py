"""A replay that is stopped goes on, and ends as if it had not been."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pumpguard import Policy, PolicyError
from pumpguard.replay.checkpoint import Stopped, save
from pumpguard.replay.lacking import told_apart
from pumpguard.replay.logs import Found, read
from pumpguard.replay.play import Run
from pumpguard.replay.play_store import PlayStore
from tests.replay.test_own_events import POLICY, a_day

SHARES = (0.0, 0.1, 0.5, 0.9)
"""Of the entries, after which it is stopped."""


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two attacks and people, with all that our own events tell: failures, proof, solutions."""
    folder = tmp_path_factory.mktemp("events")
    (folder / "policy.toml").write_text(POLICY)
    log = folder / "events.jsonl"
    asyncio.run(a_day(folder / "policy.toml", log, addresses="whole", numbers="clear"))
    return log


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with codes, failures, and numbers of a country that the plan does not know."""
    log = tmp_path_factory.mktemp("table") / "log.csv"
    rows = [
        f"{1_777_852_800 + 40 * n},+22990{n:08},5.{n % 200}.0.1,{('failed', 'sent')[n % 9 > 0]},\n"
        f"{1_777_852_810 + 40 * n},+4474001{n:05},81.2.69.{n % 30},sent,{1_777_852_830 + 40 * n}\n"
        for n in range(300)
    ]
    log.write_text("time,to,ip,status,verified_at\n" + "".join(rows))
    return log


def begun(log: Path) -> tuple[Found, Policy]:
    policy = Policy.from_toml(POLICY)
    found = read([log], {}, "UTC", None)
    return found, told_apart(policy, found.journal)[0]


def whole(found: Found, policy: Policy, challenge: bool) -> Run:
    run = Run(found.journal, policy, challenge=challenge)
    asyncio.run(run.go_on())
    return run


@pytest.mark.parametrize("name", ["events", "strangers"])
@pytest.mark.parametrize("challenge", [True, False])
def test_it_ends_as_if_it_had_not_been_stopped(
    name: str, challenge: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Whenever it is stopped: each decision, each sum and each place in the store."""
    found, policy = begun(request.getfixturevalue(name))
    expected, path = whole(found, policy, challenge), tmp_path / "checkpoint"
    run = Run(found.journal, policy, challenge=challenge)
    for share in SHARES:
        until = int(share * expected.done)
        play_until(run, until)
        assert run.done == until
        save(path, "the same", found, run)
        stopped = Stopped(path, "the same")
        run = Run(stopped.found.journal, policy, challenge=challenge)
        stopped.restore(run)
        assert stopped.found.notes == found.notes
        assert stopped.found.files == found.files
    asyncio.run(run.go_on())
    assert run.done == expected.done
    assert run.tally.saved() == expected.tally.saved()
    assert run.delays.counts == expected.delays.counts
    assert places(run, tmp_path / "a") == places(expected, tmp_path / "b")


def play_until(run: Run, until: int) -> None:
    asyncio.run(run.go_on(stopped=lambda: run.done >= until))


def places(run: Run, path: Path) -> list[tuple[bytes, bytes | None]]:
    """But for the tickets' ids, which are drawn anew in each run."""
    with closing(sqlite3.connect(path)) as sql:
        run.store.save(sql)
        return [
            (key, value if value is None else value[:6] + bytes([len(value) % 256]))
            for key, value in sql.execute("SELECT key, value FROM places ORDER BY rowid")
        ]


def test_only_its_owner_may_read_it(events: Path, tmp_path: Path) -> None:
    """Numbers and addresses are in it. What was there is replaced."""
    found, policy = begun(events)
    path = tmp_path / "checkpoint"
    path.write_text("something else")
    save(path, "", found, Run(found.journal, policy))
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_what_was_stopped_goes_on(events: Path, tmp_path: Path) -> None:
    found, policy = begun(events)
    path = tmp_path / "checkpoint"
    with pytest.raises(PolicyError, match="the file of a replay that was stopped"):
        Stopped(path, "this")
    save(path, "this", found, Run(found.journal, policy))
    with pytest.raises(PolicyError, match="the same files, policy and options"):
        Stopped(path, "that")
    with closing(sqlite3.connect(path)) as sql, sql:
        sql.execute("UPDATE facts SET text = '{}'")
    with pytest.raises(PolicyError, match="by this version of pumpguard"):
        Stopped(path, "this")
    path.write_bytes(b"no database at all, of whatever kind it may be" * 100)
    with pytest.raises(PolicyError, match="by this version of pumpguard"):
        Stopped(path, "this")


def test_a_store_that_is_full_goes_on_forgetting_in_its_order(tmp_path: Path) -> None:
    """Places that were forgotten are still in the line of those that are looked at."""
    store, again = PlayStore(1, lambda: 0.0), PlayStore(1, lambda: 0.0)
    store._kept.update({b"b": b"value", b"c": b"strikes"})
    store._queue.extend([b"a", b"b", b"c"])
    store._gone.add(b"a")
    store._struck[b"c"] = None
    store._most = 7
    with closing(sqlite3.connect(tmp_path / "store")) as sql:
        store.save(sql)
        again.restore(sql)
    for name in ("_kept", "_queue", "_gone", "_struck", "_most"):
        assert getattr(again, name) == getattr(store, name)
