"""An operator meets an attack at the console, with a real browser and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from examples.target_app.settings import Settings
from tests.browser.chromium import Chromium
from tests.browser.conftest import POLICY, Served
from tests.browser.test_console import TOKEN, settled

BLOCK = "+99450123"
OPENED = "document.querySelectorAll('details').forEach((d) => { d.open = true })"
AXE = """axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations
    .filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => each.id + ': ' + each.nodes.map((node) => node.html).join(' ').slice(0, 300)))"""


@pytest.fixture
def app(tmp_path: Path, name: str) -> Iterator[Served]:
    """The example app with its console, under attack: one block of numbers, from one network."""
    file = tmp_path / "policy.toml"
    file.write_text(POLICY.format(name=name) + 'proxies = ["127.0.0.0/8", "::1"]\n')
    settings = Settings(policy_file=file, simulated=True, loss=0, console_token=TOKEN)
    with Served(settings) as served:
        attack(served, 0)
        yield served


def attack(app: Served, first: int) -> list[int]:
    """What became of 30 requests."""
    return [
        app.post(f"{BLOCK}{n:04}", **{"X-Forwarded-For": f"198.51.100.{n % 5 + 1}"})[0]
        for n in range(first, first + 30)
    ]


@pytest.fixture
def operator(browser: Chromium, app: Served) -> Iterator[Chromium]:
    """Mike, signed in."""
    browser.open(f"{app.url}pumpguard/")
    browser.click("#author")
    browser.type("mike")
    browser.press("Tab")
    browser.type(TOKEN)
    browser.press("Enter")
    settled(browser, "document.readyState === 'complete' && document.querySelector('nav')")
    yield browser
    browser.call("Network.clearBrowserCookies")


def ordered(browser: Chromium, button: str) -> None:
    """Press a button by keyboard, and wait for the page that says that it is done."""
    browser.js("document.querySelector('main').dataset.old = 1")
    browser.js(f"{button}.focus()")
    browser.press("Enter")
    settled(
        browser,
        "document.readyState === 'complete' && !document.querySelector('main').dataset.old"
        " && document.querySelector('.done')",
    )


def test_the_block_is_found_denied_and_let_go_while_the_attack_runs(
    operator: Chromium, app: Served
) -> None:
    operator.until("document.querySelector('#attack .tree')")
    assert "+994501230…" in operator.text()
    assert "credit" in operator.js("document.getElementById('attack').innerText")
    deny = f"document.querySelector('[data-key=\"deny{BLOCK}0\"]')"
    operator.js(f"{deny}.querySelector('summary').focus()")
    operator.press("Enter")
    operator.until(f"{deny}.open")
    assert "all 1,000 numbers that begin so get no message" in operator.text()
    ordered(operator, f"{deny}.querySelector('button')")
    assert "Listed. Every process obeys within a second." in operator.text()
    assert "deny prefix +994501230" in operator.js("document.getElementById('lists').innerText")
    before = operator.js("document.getElementById('traffic').innerText")
    assert set(attack(app, 100)) == {403}
    operator.until("document.getElementById('attack').innerText.includes('lists')")
    assert operator.js("document.getElementById('traffic').innerText") != before
    ordered(operator, "document.querySelector('.done button')")  # undo
    assert "Nobody is on a list." in operator.text()
    assert operator.complaints == []


def test_why_is_read_and_a_country_steps_down(operator: Chromium, app: Served) -> None:
    operator.js("document.querySelector('[data-key=challengeAZ]').open = true")
    ordered(operator, "document.querySelector('[data-key=challengeAZ] button')")
    assert "challenge_all" in operator.js("document.getElementById('posture').innerText")
    ordered(operator, "document.querySelector('.done button')")
    assert "Countries with a posture" not in operator.text()
    operator.open(f"{app.url}pumpguard/who")
    operator.js("document.getElementById('number').focus()")
    operator.type(f"{BLOCK}0001")
    operator.press("Tab")
    operator.type("198.51.100.2")
    operator.js("document.querySelector('main').dataset.old = 1")
    operator.press("Enter")
    settled(operator, "document.readyState === 'complete' && document.querySelector('#story')")
    assert "it would be asked for proof" in operator.text()
    assert "BANNED" in operator.text()
    assert not any(f"{BLOCK[1:]}0001" in url for url in operator.requested)
    assert "by=network, level=1" in operator.js("document.getElementById('story').textContent")
    operator.open(f"{app.url}pumpguard/orders")
    assert "challenge_all for AZ" in operator.text()
    assert "normal for AZ" in operator.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    operator: Chromium, app: Served, scheme: str
) -> None:
    """With every part opened, on a phone and on a desk."""
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    operator.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    for page in ("", "who", "rules", "money", "orders"):
        for width in (360, 1280):
            operator.open(f"{app.url}pumpguard/{page}", width, 900)
            operator.js(OPENED)
            operator.js(axe)
            assert operator.js(AXE) == [], page
            assert operator.js("document.documentElement.scrollWidth") <= width
