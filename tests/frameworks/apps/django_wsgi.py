"""Django under WSGI: wsgi.py with one line more."""

from __future__ import annotations

from tests.frameworks.apps import django_views  # isort: skip  # it has the settings
from django.core.wsgi import get_wsgi_application

from pumpguard.wsgi import PumpGuardWSGI
from tests.frameworks.cors import with_cors_in_front
from tests.frameworks.guarded import guard

__all__ = ["app", "django_views"]

app = with_cors_in_front(PumpGuardWSGI(get_wsgi_application(), guard=guard))
