"""One guarded function in each framework, without any middleware."""

import json
from collections.abc import Callable
from typing import Any

from pumpguard import Guard
from tests.frameworks.apps import django_views as _  # noqa: F401 - Django wants settings

Send = Callable[[str], object]


def starlette(guard: Guard, send_sms: Send) -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def phone(request: Request) -> object:
        return (await request.json())["phone"]

    @guard.protected(phone)
    async def send(request: Request) -> JSONResponse:
        send_sms((await request.json())["phone"])
        return JSONResponse({"sent": True}, 202)

    return Starlette(routes=[Route("/send", send, methods=["POST"])])


def litestar(guard: Guard, send_sms: Send) -> Any:
    from litestar import Litestar, Request, post
    from litestar.params import JSONBody

    @post("/send", status_code=202)
    @guard.protected(lambda request, data: data["phone"])
    async def send(request: Request[Any, Any, Any], data: JSONBody[dict[str, str]]) -> Any:
        send_sms(data["phone"])
        return {"sent": True}

    return Litestar([send])


def quart(guard: Guard, send_sms: Send) -> Any:
    from quart import Quart, request

    app = Quart(__name__)

    async def phone() -> object:
        return (await request.get_json())["phone"]

    @app.post("/send")
    @guard.protected(phone)
    async def send() -> Any:
        send_sms((await request.get_json())["phone"])
        return {"sent": True}, 202

    return app


def django(guard: Guard, send_sms: Send, *, plain: bool = False) -> Any:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpRequest, JsonResponse
    from django.test.utils import override_settings
    from django.urls import path

    if plain:

        @guard.protected(lambda request: json.loads(request.body)["phone"])
        def send(request: HttpRequest) -> JsonResponse:
            send_sms(json.loads(request.body)["phone"])
            return JsonResponse({"sent": True}, status=202)

    else:

        @guard.protected(lambda request: json.loads(request.body)["phone"])
        async def send(request: HttpRequest) -> JsonResponse:
            send_sms(json.loads(request.body)["phone"])
            return JsonResponse({"sent": True}, status=202)

    class Urls:
        urlpatterns = [path("send", send)]  # noqa: RUF012 - Django's own contract

    handler: Any = WSGIHandler() if plain else ASGIHandler()

    def app(*call: Any) -> Any:
        with override_settings(ROOT_URLCONF=Urls):
            return handler(*call)

    async def asgi(*call: Any) -> Any:
        with override_settings(ROOT_URLCONF=Urls):
            return await handler(*call)

    return app if plain else asgi


def blacksheep(guard: Guard, send_sms: Send) -> Any:
    from blacksheep import Application, Request
    from blacksheep import json as answer
    from blacksheep.server.routing import Router

    app = Application(router=Router())

    async def phone(request: Request) -> object:
        return (await request.json())["phone"]

    @app.router.post("/send")
    @guard.protected(phone)
    async def send(request: Request) -> Any:
        send_sms((await request.json())["phone"])
        return answer({"sent": True}, 202)

    return app


def falcon(guard: Guard, send_sms: Send) -> Any:
    from falcon.asgi import App, Request, Response

    async def phone(self: Any, request: Request, response: Response) -> object:
        return (await request.get_media())["phone"]

    class Resource:
        @guard.protected(phone)
        async def on_post(self, request: Request, response: Response) -> None:
            send_sms((await request.get_media())["phone"])
            response.status, response.media = 202, {"sent": True}

    app = App()
    app.add_route("/send", Resource())
    return app


def sanic(guard: Guard, send_sms: Send) -> Any:
    from sanic import Request, Sanic
    from sanic.response import json as answer

    Sanic._app_registry.pop("perroute", None)
    app = Sanic("perroute")

    @app.post("/send")
    @guard.protected(lambda request: request.json["phone"])
    async def send(request: Request) -> Any:
        send_sms(request.json["phone"])
        return answer({"sent": True}, 202)

    return app


def fastapi(guard: Guard, send_sms: Send) -> Any:
    from fastapi import Depends, FastAPI
    from pydantic import BaseModel

    class Ask(BaseModel):
        phone: str

    def phone_of(ask: Ask) -> str:
        return ask.phone

    app = FastAPI()

    async def send(ask: Ask) -> dict[str, bool]:
        send_sms(ask.phone)
        return {"sent": True}

    guarded = [Depends(guard.protect(phone_of))]
    app.post("/send", status_code=202, dependencies=guarded)(send)
    return app


def flask(guard: Guard, send_sms: Send) -> Any:
    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/send")
    @guard.protected(lambda: request.get_json()["phone"])
    def send() -> Any:
        send_sms(request.get_json()["phone"])
        return {"sent": True}, 202

    return app


ASGI = (starlette, litestar, quart, django, blacksheep, falcon, sanic, fastapi)


def django_plain(guard: Guard, send_sms: Send) -> Any:
    return django(guard, send_sms, plain=True)


WSGI = (flask, django_plain)
