"""The page that people see: a few static files, and headers that allow nothing else."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

HERE = Path(__file__).parent
HEADERS = {
    # Scripts, styles and workers of our own files only, and nobody may frame the page.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "worker-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def show_page(app: FastAPI) -> None:
    """Serve the page and its files."""

    async def page() -> FileResponse:
        return FileResponse(HERE / "page.html", headers=HEADERS)

    app.add_api_route("/", page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
