"""A guarded route is guarded however it is spelt, wherever the app is mounted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.errors import PolicyError
from pumpguard.intake.routes import Routes, normal
from tests.asgi import call, request


def matched(
    send: str | tuple[str, ...], path: str, method: str = "POST", root_path: str = ""
) -> Mapping[str, str] | None:
    return Routes(send).match(request(method, path, root_path=root_path))


@pytest.mark.parametrize(
    "path",
    [
        "/otp/send",
        "/otp/send/",
        "//otp/send",
        "/otp//send",
        "/otp/send//",
        "/./otp/send",
        "/otp/./send",
        "/otp/send/.",
        "/otp/x/../send",
        "/../otp/send",
        "/otp/send/x/..",
        "/../../otp/send",
        "/OTP/Send",
        "/otp/ſend",  # a long s is an s to whoever ignores case
        "/otp/send\n",  # "$" in a router's pattern lets a line break follow
        "otp/send",
    ],
)
def test_every_spelling_of_the_path_is_guarded(path: str) -> None:
    assert matched("/otp/send", path) == {}


@pytest.mark.parametrize(
    "path",
    ["/", "", "/otp", "/otp/sends", "/otp/send/now", "/otp/sen", "/x/otp/send", "/otp\\send"],
)
def test_other_paths_are_not(path: str) -> None:
    assert matched("/otp/send", path) is None


def test_servers_decode_percent_escapes_and_what_they_decode_is_guarded() -> None:
    """``%73`` arrives as ``s`` and ``%2F`` as ``/``; what stays escaped is another path."""
    assert matched("/otp/send", "/otp//send") == {}
    assert matched("/otp/send", "/otp/%73end") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY", "WHATEVER", "post"])
def test_a_route_without_a_method_guards_every_method_that_may_change_something(
    method: str,
) -> None:
    assert matched("/otp/send", "/otp/send", method) == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_a_route_without_a_method_lets_safe_methods_pass(method: str) -> None:
    """A form may be shown and a browser may ask for permission without being counted."""
    assert matched("/otp/send", "/otp/send", method) is None


def test_a_route_with_methods_guards_these_alone() -> None:
    assert matched("POST,PUT /otp/send", "/otp/send", "PUT") == {}
    assert matched("POST,PUT /otp/send", "/otp/send", "DELETE") is None
    assert matched("POST /otp/send", "/otp/send", "OPTIONS") is None


def test_head_is_guarded_with_get_because_routers_run_the_same_endpoint() -> None:
    assert matched("GET /otp/{phone}", "/otp/1", "HEAD") == {"phone": "1"}
    assert matched("POST /otp/{phone}", "/otp/1", "HEAD") is None


@pytest.mark.parametrize("method", ["post", "Post", "pOST"])
def test_the_case_of_a_method_is_no_way_around(method: str) -> None:
    """Servers pass it on as it came, and some frameworks (Django) turn it to upper case."""
    assert matched("POST /otp/send", "/otp/send", method) == {}


def test_path_parameters_are_handed_on_as_they_came() -> None:
    assert matched("/otp/{phone}/send", "/otp/+44 7400/send") == {"phone": "+44 7400"}
    assert matched("/{a}/{B_2}", "/x/Y") == {"a": "x", "B_2": "Y"}


def test_a_parameter_fills_one_segment() -> None:
    assert matched("/otp/{phone}/send", "/otp/1/2/send") is None
    assert matched("/otp/{phone}/send", "/otp//send") is None


@pytest.mark.parametrize("tenant", ["..", ".", "...", "a\n", " "])
def test_dots_may_be_a_parameter_too(tenant: str) -> None:
    """Routers do not resolve dots: to them, ``/../send`` is a tenant called ``..``."""
    assert matched("/t/{tenant}/send", f"/t/{tenant}/send") == {"tenant": tenant}


def test_several_routes_are_guarded_as_one() -> None:
    several = ("/otp/send", "GET /login/{phone}")
    assert matched(several, "/otp/send") == {}
    assert matched(several, "/login/1", "GET") == {"phone": "1"}
    assert matched(several, "/login/1", "POST") is None


@pytest.mark.parametrize(
    ("send", "path"),
    [
        ("/otp/send", "/api/otp/send"),  # the mounted app's own view
        ("/api/otp/send", "/api/otp/send"),  # the outer app's
        ("/otp/send", "/otp/send"),  # a proxy that strips the root
        ("/otp/send", "/api//otp/send/"),
    ],
)
def test_a_root_path_may_be_part_of_the_path_or_not(send: str, path: str) -> None:
    assert matched(send, path, root_path="/api") == {}
    assert matched(send, path, root_path="/api/") == {}


def test_a_root_path_is_a_whole_prefix() -> None:
    assert matched("/otp/send", "/apiotp/send", root_path="/api") is None


def test_an_app_mounted_at_the_guarded_path_itself_knows_it_as_its_root() -> None:
    assert matched("/", "/otp/send", root_path="/otp/send") == {}
    assert matched("/", "/otp/send/", root_path="/otp/send") == {}


@pytest.mark.parametrize(
    "path", ["/otp/send", "/OTP//send/", "/otp/send\n", "/otp/./send", "/otp/%73end", "/x/../otp"]
)
async def test_the_spelling_of_a_mount_changes_nothing(path: str) -> None:
    """Inside and outside of a real mount the same requests are guarded."""
    inside, outside = Witness("/otp/send"), Witness("/api/otp/send")
    inside.app = Starlette()
    outside.app = Starlette(routes=[Mount("/api", app=inside)])
    await call(outside, request(path="/api" + path))

    assert inside.guards == outside.guards


class Witness:
    """A middleware that remembers what the routes said about the requests it saw."""

    def __init__(self, send: str) -> None:
        self.routes = Routes(send)
        self.app: ASGIApp = Starlette()
        self.guards: list[Mapping[str, str] | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.guards.append(self.routes.match(scope))
        await self.app(scope, receive, send)


@pytest.mark.parametrize(
    "send",
    [
        "",
        "otp/send",
        "POST",
        "POST/otp/send",
        "post /otp/send",
        "POST PUT /otp/send",
        "POST, /otp/send",
        "/otp/send?x=1",
        "/otp/send#x",
        "/otp/{phone",
        "/otp/v{version}",
        "/otp/{1}",
        "/otp/{phone:path}",
        "/{a}/{a}",
        (),
        ("/otp/send", ""),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused(send: str | tuple[str, ...]) -> None:
    with pytest.raises(PolicyError, match=r"^send: expected"):
        Routes(send)


SEGMENTS = st.lists(
    st.sampled_from(["otp", "send", "OTP", "", ".", "..", "a", "x\n", "api", "%2e", " ", "\n"]),
    max_size=6,
)
PATHS = SEGMENTS.map(lambda parts: "/" + "/".join(parts)) | st.text().map(lambda text: "/" + text)
METHODS = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "OPTIONS", "post", "get", "PURGE", "TRACE"]
)


@given(PATHS)
@settings(deadline=None)
def test_normal_is_idempotent_and_leaves_nothing_to_resolve(path: str) -> None:
    once = normal(path)
    assert normal(once) == once
    assert once == "/" or not {"", ".", ".."} & set(once.split("/")[1:])


async def _endpoint(request: Request) -> Response:
    raise AssertionError("never run")


DIFFERENTIAL = {
    "/otp/send": "/otp/send",
    "POST /otp/send": "/otp/send",
    "GET /otp/{phone}": "/otp/{phone}",
    "POST,GET /{tenant}/otp/{phone}/send": "/{tenant}/otp/{phone}/send",
    "/": "/",
}


@given(st.sampled_from(sorted(DIFFERENTIAL)), METHODS, PATHS)
@settings(deadline=None, max_examples=400)
def test_whatever_starlette_routes_to_the_endpoint_is_guarded(
    send: str, method: str, path: str
) -> None:
    """The differential that matters: judging too much costs a reply, too little costs money."""
    listed = send.split()[0].split(",") if " " in send else ["POST", "PUT", "PURGE", "post"]
    route = Route(DIFFERENTIAL[send], _endpoint, methods=listed)
    scope = request(method, path)
    match, child = route.matches(scope)
    if match is Match.FULL:
        found = Routes(send).match(scope)
        assert found is not None
        assert dict(found) == child["path_params"]


@given(st.sampled_from(["/api", "/{tenant}", "/a/b"]), PATHS)
@settings(deadline=None, max_examples=400)
def test_whatever_a_mount_routes_to_the_endpoint_is_guarded_inside_and_outside(
    mount: str, path: str
) -> None:
    inner: BaseRoute = Route("/{any}/send", _endpoint, methods=["POST"])
    outer = Mount(mount, routes=[inner])
    scope = request(path=path)
    _, child = outer.matches(scope)
    below = {**scope, **child}
    if child and inner.matches(below)[0] is Match.FULL:
        assert Routes(f"{mount}/{{any}}/send").match(scope) is not None
        assert Routes("/{any}/send").match(below) is not None


@pytest.mark.parametrize(
    ("route", "paths", "others"),
    [
        ("/otp/*", ["/otp/send", "/otp/x/"], ["/otp", "/otp/a/b"]),
        ("/otp/*/send", ["/otp/sms/send"], ["/otp/send", "/otp/a/b/send"]),
        ("/otp/**", ["/otp", "/otp/send", "/otp/a/b", "/otp/a\n/b"], ["/otps", "/x/otp"]),
        ("/**", ["/", "/otp/send"], []),
        ("POST /{tenant}/**", ["/a", "/a/b/c"], ["/"]),
    ],
)
def test_wildcards_are_segments(route: str, paths: list[str], others: list[str]) -> None:
    """``*`` is any one, ``**`` at the end any number."""
    assert all(matched(route, path) is not None for path in paths)
    assert all(matched(route, path) is None for path in others)


@pytest.mark.parametrize(
    "route",
    [
        "/otp/<phone>", "/api/:version/otp", "ANY /otp/send", "POTS /otp/send", "/otp/send*",
        "/otp/**/send", "/otp/***", "^/otp/send", "/otp/.*$", "/otp|/sms", "/otp/{phone:path}",
        "/otp/%73end", "/otp/{phone", "/otp\\send",
    ],
)  # fmt: skip
def test_what_no_request_can_match_is_refused(route: str) -> None:
    """Patterns of other routers would guard nothing, and nobody would know."""
    with pytest.raises(PolicyError, match="send"):
        Routes(route)


def test_a_wildcard_leaves_the_routes_that_are_named() -> None:
    """The verify route beside the guarded ones, spelt exactly so: to a router that minds case,
    another spelling is a parameter."""
    sends = Routes(("/otp/*", "/v2/send"), but=Routes(("/otp/verify", "/v2/send"), "verify"))
    assert sends.match(request("POST", "/otp/verify")) is None
    assert sends.match(request("POST", "/app/otp/verify", root_path="/app")) is None
    assert sends.match(request("POST", "/otp/Verify")) == {}
    assert sends.match(request("POST", "/otp/send")) == {}
    assert sends.match(request("POST", "/v2/send")) == {}


def test_routes_know_which_of_them_were_met() -> None:
    """By a request that they guard."""
    routes = Routes(("/otp/send", "/otp/call"))
    routes.match(request("GET", "/otp/send"))
    assert len(routes.unmet) == 2
    routes.match(request("POST", "/otp/send"))
    assert [route.text for route in routes.unmet] == ["/otp/call"]
    assert [route.resembles("/v1/otp/call") for route in routes.unmet] == [True]
