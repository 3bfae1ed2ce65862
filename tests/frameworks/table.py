"""The frameworks and how each is served; and the table of what was seen of them."""

from __future__ import annotations

ASGI = ("fastapi", "starlette", "litestar", "quart", "django_asgi", "blacksheep", "falcon", "sanic")

GUNICORN = ("-m", "gunicorn", "--bind", "fd://{fd}", "--preload", "--log-level", "warning")
"""The app is imported before the workers are forked."""

THREADS = ("--worker-class", "gthread", "--threads", "4")

SERVERS: dict[str, tuple[str, ...]] = {
    name: ("-m", "tests.frameworks.serve", "{fd}", name, "auto") for name in ASGI
} | {
    f"{name}, {workers}": (*GUNICORN, *options, f"tests.frameworks.apps.{name}:app")
    for name in ("flask", "django_wsgi")
    for workers, options in (("sync", ()), ("threads", THREADS))
}
