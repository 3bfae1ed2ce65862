"""A Starlette app that sends codes, guarded. Run it: uvicorn examples.minimal.app:app"""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pumpguard import Guard, Policy, PumpGuardMiddleware

guard = Guard(Policy(send="/otp/send", home=["GB"]), "memory://")


async def send(request: Request) -> JSONResponse:
    """Send a code; a request that is refused does not come here."""
    phone = (await request.json())["phone"]
    return JSONResponse({"sent_to": phone})  # here your SMS provider is called


routes = [Route("/otp/send", send, methods=["POST"])]
app = Starlette(routes=routes, middleware=[Middleware(PumpGuardMiddleware, guard=guard)])
