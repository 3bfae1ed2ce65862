from __future__ import annotations

import pytest
from fastapi import FastAPI

from examples.target_app.app import create_app
from examples.target_app.settings import Settings
from tests.examples.visitor import Visitor


@pytest.fixture
def app() -> FastAPI:
    """The app without its guard, over a network that loses nothing."""
    return create_app(Settings(guard=False, simulated=True, loss=0))


@pytest.fixture
def visitor(app: FastAPI) -> Visitor:
    return Visitor(app)
