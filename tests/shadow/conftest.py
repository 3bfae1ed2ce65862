"""What every test of shadows starts from."""

from __future__ import annotations

import pytest

from pumpguard.shadow.open_requests import OPEN


@pytest.fixture(autouse=True)
def _nothing_is_open() -> None:
    """Requests of other tests await no call any more."""
    OPEN.clear()
