"""The frameworks and how each is served; and the table of what was seen of them."""

from __future__ import annotations

ASGI = ("fastapi", "starlette", "litestar", "quart", "django_asgi", "blacksheep", "falcon", "sanic")

SERVERS: dict[str, tuple[str, ...]] = {
    name: ("-m", "tests.frameworks.serve", "{fd}", name, "auto") for name in ASGI
}
