"""A real headless Chromium, driven by the DevTools protocol over one WebSocket."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from itertools import count
from typing import Any, Self

from websockets.sync.client import connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # CI is root, for whom Chromium has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
PATIENT = 60.0
"""Seconds for anything: a busy machine must not look like a fault."""


def program() -> str | None:
    """Where Chromium is, if it is here."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Chromium:
    """One browser with one tab."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._held = ExitStack()
        self._ids = count(1)
        self._session: str | None = None
        self.complaints: list[str] = []
        """What the page's scripts and its security policy had to complain about."""
        self.requested: list[str] = []
        """The address of every request."""

    def __enter__(self) -> Self:
        with ExitStack() as held:
            home = held.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            process = subprocess.Popen(
                [self._path, *FLAGS, f"--user-data-dir={home}", "about:blank"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            held.callback(process.communicate)
            held.callback(process.terminate)
            # No pings: their thread would draw from `random` while others' tests count on it.
            quiet = connect(_address(process), max_size=None, ping_interval=None)
            self._socket = held.enter_context(quiet)
            tab = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=tab, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            self._held = held.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result; what else is reported meanwhile is noted."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            said = json.loads(self._socket.recv(timeout=PATIENT))
            if said.get("id") == number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self._note(said)

    def js(self, expression: str) -> Any:
        """What an expression, or the promise that it is, comes to."""
        done = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a condition holds in the page."""
        held = self.js(
            f"""new Promise((resolve) => {{
                const end = performance.now() + {PATIENT * 800};
                const look = () => ({condition}) ? resolve(true)
                    : performance.now() > end ? resolve(false) : setTimeout(look, 10);
                look();
            }})"""
        )
        assert held, f"{condition} never held; the page says: {self.text()!r}"

    def open(self, url: str, width: int = 1280, height: int = 900, scale: float = 1) -> None:
        """Load a page in a window of this size."""
        self.complaints.clear()
        self.requested.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        self.js("globalThis.old = true")
        self.call("Page.navigate", url=url)
        self.until("!globalThis.old && document.readyState === 'complete'")

    def text(self) -> str:
        """All that a person can read."""
        return str(self.js("document.body.innerText"))

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key: ``Tab``, ``Enter`` or ``Space``."""
        code, character = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " ")}[key]
        name = " " if key == "Space" else key
        facts = {"key": name, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=character, **facts)
        self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    def click(self, selector: str) -> None:
        """Click on the middle of an element with the mouse."""
        at = self.js(
            f"""(() => {{
                const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
                return {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }};
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def screenshot(self) -> bytes:
        """What it looks like, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _note(self, said: dict[str, Any]) -> None:
        params = said.get("params", {})
        match said.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["source"] != "network":
                self.complaints.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])


def _address(process: subprocess.Popen[str]) -> str:
    """Where a browser listens; it says so when it does."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("DevTools listening on "):
            return line.split()[-1]
    raise RuntimeError("Chromium did not start")
