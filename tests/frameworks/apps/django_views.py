"""Django's views and settings, the same under ASGI and WSGI."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.http import require_GET, require_POST

from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="of this suite",
        INSTALLED_APPS=["corsheaders"],
        MIDDLEWARE=["corsheaders.middleware.CorsMiddleware"] if CORS_BEHIND else [],
        CORS_ALLOW_ALL_ORIGINS=True,
    )


@require_POST
def send(request: HttpRequest) -> JsonResponse:
    return sent(json.loads(request.body))


def sent(ask: dict[str, str]) -> JsonResponse:
    answer = {"to": ask["phone"], "note": ask["note"], **send_sms(ask["phone"], ask["note"])}
    return JsonResponse(answer, status=202)


@require_POST
def form(request: HttpRequest) -> JsonResponse:
    return sent(request.POST.dict())


@require_POST
def stream(request: HttpRequest) -> JsonResponse:
    size = 0
    while chunk := request.read(1000):
        size += len(chunk)
    return JsonResponse({"bytes": size}, status=202)


@require_POST
def person(request: HttpRequest, phone: str) -> JsonResponse:
    return JsonResponse({"to": phone, **send_sms(phone, "")}, status=202)


@require_POST
def fails(request: HttpRequest) -> JsonResponse:
    raise RuntimeError("a bug of this app")


@require_POST
def verify(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"verified": json.loads(request.body)["phone"]})


@require_POST
def verified(request: HttpRequest) -> JsonResponse:
    guard.verified(json.loads(request.body)["phone"])
    return JsonResponse({"told": True})


@require_GET
def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "well"})


urlpatterns = [
    path("otp/send", send),
    path("api/", include([path("otp/send", send)])),
    path("otp/form", form),
    path("otp/stream", stream),
    path("people/<phone>/code", person),
    path("otp/fails", fails),
    path("otp/verify", verify),
    path("app/verified", verified),
    path("health", health),
]
