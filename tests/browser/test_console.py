"""An operator at the console with a real browser, with JavaScript and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from examples.target_app.settings import Settings
from tests.browser.chromium import Chromium
from tests.browser.conftest import POLICY, Served
from tests.browser.test_accessibility import CONTRAST

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"
PHONE = "+447400123456"
FRESH = "document.readyState === 'complete' && !document.querySelector('main').dataset.old"


@pytest.fixture
def app(tmp_path: Path, name: str) -> Iterator[Served]:
    """The example app with its console."""
    file = tmp_path / "policy.toml"
    file.write_text(POLICY.format(name=name))
    settings = Settings(policy_file=file, simulated=True, loss=0, console_token=TOKEN)
    with Served(settings) as served:
        yield served


@pytest.fixture
def operator(browser: Chromium, app: Served) -> Iterator[Chromium]:
    """Mike, signed in."""
    browser.open(f"{app.url}pumpguard/")
    browser.click("#author")
    browser.type("mike")
    browser.press("Tab")
    browser.type(TOKEN)
    pressing(browser, "Enter")
    yield browser
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    browser.call("Network.clearBrowserCookies")


def pressing(browser: Chromium, key: str) -> None:
    """Press a key that leads to another page, and wait for it."""
    browser.press(key)
    for _ in range(600):
        try:
            if browser.js("document.readyState === 'complete' && !!document.querySelector('.bar')"):
                return
        except AssertionError:
            continue  # the old page has just gone
    raise AssertionError(browser.text())


def test_closing_by_keyboard_stops_the_next_send(operator: Chromium, app: Served) -> None:
    assert app.post(PHONE)[0] == 202
    operator.js("document.querySelector('input[value=closed]').closest('details').open = true")
    operator.js("document.querySelector('input[value=closed]').focus()")
    operator.press("Space")
    operator.js("document.getElementById('reason').focus()")
    operator.type("SMS bill")
    operator.js("document.querySelector('main').dataset.old = 1")
    operator.press("Enter")
    settled(operator, f"{FRESH} && document.querySelector('.done')")
    assert "Every process obeys within a second" in operator.text()
    assert operator.js("document.querySelector('.postures [aria-current]').innerText") == "closed"
    assert "by mike at" in operator.text()
    assert app.post("+447400123999")[0] == 429
    assert operator.complaints == []


def test_numbers_come_by_themselves(operator: Chromium, app: Served) -> None:
    """Over one connection after the other, and no field is touched."""
    operator.js("document.querySelector('.override').closest('details').open = true")
    operator.js("document.getElementById('reason').value = 'half a'")
    app.post(PHONE)
    operator.until("document.querySelector('#traffic dd').innerText === '1'")
    operator.until("document.getElementById('exposure').innerText.includes('in a day')")
    assert operator.js("document.getElementById('reason').value") == "half a"
    assert "•" in operator.js("document.getElementById('decisions').textContent")
    assert PHONE not in operator.js("document.documentElement.outerHTML")
    hosts = {urlsplit(url).netloc for url in operator.requested}
    assert hosts <= {urlsplit(app.url).netloc}
    assert operator.complaints == []


def test_everything_is_switched_without_javascript(operator: Chromium, app: Served) -> None:
    """The page is a form, whatever the browser can do."""
    operator.call("Emulation.setScriptExecutionDisabled", value=True)
    operator.js("document.querySelector('main').dataset.old = 1")
    operator.call("Page.navigate", url=f"{app.url}pumpguard/?again")
    settled(operator, f"{FRESH} && document.querySelector('.bar')")
    operator.js("document.querySelectorAll('.card > details').forEach((d) => { d.open = true })")
    operator.js("document.querySelector('input[value=deny]').checked = true")
    operator.js("document.getElementById('value').value = '+447400123456'")
    operator.js("document.getElementById('list-reason').value = 'fraud'")
    operator.js("document.getElementById('list-reason').focus()")
    operator.js("document.querySelector('main').dataset.old = 1")
    operator.press("Enter")
    settled(operator, f"{FRESH} && document.querySelector('.done')")
    assert "+447400123•••" in operator.text()
    assert app.post(PHONE)[0] == 403
    assert app.post("+447400123999")[0] == 202


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(operator: Chromium, app: Served, scheme: str) -> None:
    """At least 4.5 to 1, as WCAG's level AA asks for, with every part of the page opened."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    operator.call("Emulation.setEmulatedMedia", features=features)
    app.post(PHONE)
    app.post(PHONE)
    operator.open(f"{app.url}pumpguard/", 360, 640)
    operator.until("document.getElementById('exposure').innerText.includes('in a day')")
    operator.js("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    ratios = operator.js(CONTRAST)
    assert len(ratios) > 50
    assert [(name, ratio) for name, ratio in ratios if ratio < 4.5] == []


def test_it_fits_on_a_small_phone_and_every_field_has_a_name(
    operator: Chromium, app: Served
) -> None:
    operator.open(f"{app.url}pumpguard/", 320, 568)
    operator.js("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert operator.js("document.documentElement.scrollWidth") <= 320
    nodes = operator.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"textbox", "button", "radio", "combobox", "checkbox"}
    names = [
        node.get("name", {}).get("value", "").strip()
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles
    ]
    assert len(names) > 15
    assert all(names)
    ids = operator.js("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def settled(browser: Chromium, condition: str) -> None:
    """Wait until a form has led to the next page, where this holds."""
    for _ in range(600):
        try:
            if browser.js(f"!!({condition})"):
                return
        except AssertionError:
            continue
    raise AssertionError(json.dumps(condition))
