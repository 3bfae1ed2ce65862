"""Django under ASGI: asgi.py with one line more. It has no lifespan."""

from __future__ import annotations

from tests.frameworks.apps import django_views  # isort: skip  # it has the settings
from django.core.asgi import get_asgi_application

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import guard

__all__ = ["app", "django_views"]

app = PumpGuardMiddleware(get_asgi_application(), guard=guard)
