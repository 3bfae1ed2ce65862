"""MaxMind's files are replaced, rewritten and damaged while the process runs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from ipaddress import ip_address
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pumpguard import Guard, Policy
from pumpguard.errors import PolicyError
from pumpguard.intake.network import INTERVAL, THREAD, MaxMindNetworks
from pumpguard.testing import FakeClock

HERE = ip_address("203.0.113.9")


def write(path: Path, country: str, networks: int = 300) -> Path:
    """A database of many networks, one of which is in a country."""
    writer = MMDBWriter(4, "Test")
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": country}})
    for i in range(networks):
        block = IPSet([f"{20 + i // 250}.{i % 250}.0.0/16"])
        writer.insert_network(block, {"country": {"iso_code": "ZZ"}, "filler": f"{i:050d}"})
    writer.to_db_file(str(path))
    return path


def damage(path: Path) -> None:
    """Overwrite the first records, as half a download does; the description of the file stays."""
    data = bytearray(path.read_bytes())
    start = data.find(b"country") - 2
    data[start : start + 4_000] = b"\xff" * 4_000
    path.write_bytes(data)


@pytest.fixture
def clock() -> FakeClock:
    """Time passes when a test says so."""
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database by which our address is British."""
    return write(tmp_path / "country.mmdb", "GB")


def looked(networks: MaxMindNetworks, clock: FakeClock) -> str | None:
    """The country, after a look at the file has been made and is over."""
    clock.advance(INTERVAL)
    networks.country(HERE)
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join()
    return networks.country(HERE)


@pytest.mark.parametrize("how", ["replaced", "rewritten"])
def test_a_new_file_is_read_once_it_has_looked_the_same_twice(
    path: Path, clock: FakeClock, how: str
) -> None:
    """By a rename, as geoipupdate does it, or in place, as cp does."""
    networks = MaxMindNetworks(country=path, clock=clock)
    new = write(path.with_name("new"), "FR")
    if how == "replaced":
        os.replace(new, path)
    else:
        path.write_bytes(new.read_bytes())
    assert networks.country(HERE) == "GB"
    assert [looked(networks, clock) for _ in range(3)] == ["GB", "FR", "FR"]


def test_a_file_is_not_looked_at_more_than_once_a_minute(path: Path, clock: FakeClock) -> None:
    """Only a look-up after the interval starts the thread."""
    networks = MaxMindNetworks(country=path, clock=clock)
    threads = threading.active_count()
    clock.advance(INTERVAL - 1)
    networks.country(HERE)
    assert threading.active_count() == threads


@pytest.mark.parametrize("what", ["cut", "damaged", "text", "missing"])
def test_a_broken_new_file_keeps_the_old_data_and_is_said_once(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """And when the file is whole again, it is read."""
    networks = MaxMindNetworks(country=path, clock=clock)
    write(path, "FR")
    match what:
        case "cut":
            os.truncate(path, path.stat().st_size // 2)
        case "damaged":
            damage(path)
        case "text":
            path.write_text("503 Service Unavailable")
        case "missing":
            path.unlink()
    assert {looked(networks, clock) for _ in range(5)} == {"GB"}
    assert caplog.text.count("PG086") == 1
    assert str(path) in caplog.text
    write(path, "DE")
    assert [looked(networks, clock) for _ in range(2)] == ["GB", "DE"]


def test_a_file_that_is_still_being_written_is_not_read(path: Path, clock: FakeClock) -> None:
    """A slow download changes it between every two looks."""
    networks = MaxMindNetworks(country=path, clock=clock)
    write(path, "FR")
    whole = path.read_bytes()
    for end in range(10):
        path.write_bytes(whole + b"\x00" * end)
        assert looked(networks, clock) == "GB"
    assert looked(networks, clock) == "FR"


def test_damaged_data_are_found_at_the_start(path: Path) -> None:
    """Where nothing older could be kept."""
    damage(path)
    with pytest.raises(PolicyError, match=r"^networks\.country: expected a MaxMind database"):
        MaxMindNetworks(country=path)


def test_one_damaged_record_leaves_its_clients_unknown(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing finds it before somebody comes from there; it is said then."""
    data = write(path, "GB", networks=0).read_bytes()
    path.write_bytes(data.replace(b"\x47country", b"\x47countr\xff"))
    guard = Guard(Policy(send="/s"), networks=MaxMindNetworks(country=path))
    assert guard.attempt("+447400123456", str(HERE)).client.country is None
    assert caplog.text.count("PG085") == 1


def test_a_file_that_is_truncated_does_not_end_the_process(path: Path) -> None:
    """Mapped into memory, the next look-up would be a SIGBUS."""
    code = f"""
import os
from ipaddress import ip_address
from pumpguard.intake.network import MaxMindNetworks
from pumpguard.testing import FakeClock
networks = MaxMindNetworks(country={str(path)!r})
os.truncate({str(path)!r}, 100)
print(networks.country(ip_address("203.0.113.9")), networks.country(ip_address("20.1.2.3")))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "GB ZZ\n")
