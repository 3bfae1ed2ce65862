"""The app, wired together: ``uvicorn examples.target_app.app:app`` from the repository's root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from examples.target_app.books import Bill, books_routes
from examples.target_app.clock import RefuseSimulation, SimulatedTime, real_time, simulated_time
from examples.target_app.codes import Codes
from examples.target_app.mobile_operator import MobileOperator
from examples.target_app.otp import otp_routes
from examples.target_app.page import show_page
from examples.target_app.protection import Guarded, Protection, Unguarded
from examples.target_app.settings import Settings
from examples.target_app.simulation import simulation_routes
from examples.target_app.sms_provider import SmsProvider
from pumpguard.money.prices import PriceTable


def create_app(settings: Settings | None = None, protection: Protection | None = None) -> FastAPI:
    """Build an app of its own, sharing nothing with any other; settings default to the environment.

    ``protection`` replaces the one that the settings call for.
    With a guard but without a Redis URL this starts an embedded server, which stops with the app.
    """
    settings = settings or Settings.from_environment()
    clock = simulated_time if settings.simulated else real_time
    operator = MobileOperator(
        seed=settings.seed, loss=settings.loss, owner_share=settings.owner_share
    )
    provider = SmsProvider(
        operator,
        PriceTable.load(settings.prices),
        clock,
        None if settings.simulated else settings.latency,
    )
    if protection is None:
        protection = Guarded(settings) if settings.guard else Unguarded()
    bill = Bill()

    app = FastAPI(title="pumpguard's target app", lifespan=_closing(protection))
    app.include_router(otp_routes(Codes(clock), protection.sender(provider.send), bill))
    app.include_router(
        books_routes(
            customer=bill.report,
            provider=provider.report,
            operator=operator.report,
            traffic=protection.report,
        )
    )
    if settings.simulated:
        app.include_router(simulation_routes(operator, provider, clock))
    show_page(app)

    protection.install(app)
    # Added last, so outermost: the guard must already see the simulated time.
    app.add_middleware(SimulatedTime if settings.simulated else RefuseSimulation)
    return app


def _closing(protection: Protection) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await protection.aclose()

    return lifespan


def __getattr__(name: str) -> FastAPI:
    """Build ``app`` when a server first asks for it: importing this module starts nothing."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = create_app()
    return app
