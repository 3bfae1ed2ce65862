"""Every framework once, as its users run it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pytest

from pumpguard.store.embedded import EmbeddedServer
from tests.frameworks.served import Served
from tests.frameworks.table import COLUMNS, SERVERS, WRITING, is_shown

_numbers = count(1)


@pytest.fixture(scope="session", params=list(SERVERS))
def app(request: pytest.FixtureRequest, servers: dict[str, EmbeddedServer]) -> Iterator[Served]:
    """One app after the other, all over one real store, each under a policy's name of its own."""
    name = f"frameworks-{os.urandom(6).hex()}"
    environment = {"STORE": servers["valkey"].url, "POLICY_NAME": name}
    with Served(SERVERS[request.param], **environment) as served:
        yield served


@pytest.fixture(autouse=True)
def _has_its_place_in_the_table(request: pytest.FixtureRequest) -> Iterator[None]:
    """README says what was seen; if it does not: ``python -m tests.frameworks.table``."""
    yield
    test = request.node.originalname
    if test in COLUMNS and not os.environ.get(WRITING):
        assert is_shown(test, request.node.callspec.params["app"])


@pytest.fixture
def phone() -> str:
    """A British number that nobody has asked for before."""
    return f"+4474001{next(_numbers):05}"


def number(country: str) -> str:
    """A number that is challenged (FR), shadowed (SE) or blocked (DE), and new."""
    n = next(_numbers)
    return {
        "FR": f"+3361234{n:04}", "SE": f"+467012{n:05}", "DE": f"+491512{n:07}",
    }[country]  # fmt: skip
