"""The page for everybody: what can be computed of it, at every step, light and dark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.chromium import Chromium
from tests.browser.conftest import Served
from tests.browser.test_sign_in import PHONE, SENT, ask, enter, says, shown

CONTRAST = """
(() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => rgb(color).slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (rgb(color)[3] === 255) return color;
    }
    return "white";
  };
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.checkVisibility() && (own(e) || e.matches("input")) && e.id !== "status")
    .map((e) => {
      const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
      return [e.id || e.tagName, (a + 0.05) / (b + 0.05)];
    });
})()
"""
"""The contrast of every text that can be seen with what is behind it, as WCAG reckons it."""

SMALL = """
[...document.querySelectorAll("input, button")].filter((e) => e.checkVisibility())
  .map((e) => [e.id || e.textContent, e.getBoundingClientRect().height]).filter(([, h]) => h < 44)
"""


def to_start(browser: Chromium, app: Served) -> None:
    """The form for the number."""


def to_bad_number(browser: Chromium, app: Served) -> None:
    """The same, with a complaint."""
    ask(browser, "12")
    browser.until(shown("phone-error"))


def to_code(browser: Chromium, app: Served) -> None:
    """The form for the code."""
    ask(browser)
    browser.until(SENT)


def to_wrong_code(browser: Chromium, app: Served) -> None:
    """The same, with a complaint."""
    to_code(browser, app)
    enter(browser, "12")
    browser.until(shown("code-error"))


def to_proof(browser: Chromium, app: Served) -> None:
    """A challenge that is never solved."""
    browser.js(
        """Worker.prototype.postMessage = () => {};
        globalThis.fetch = async () => new Response(JSON.stringify({type: "x/challenge",
            challenge: {kind: "altcha", challenge: {parameters: {algorithm: "PBKDF2/SHA-256"}}}}),
            {status: 403})"""
    )
    ask(browser)
    browser.until(shown("proof"))


def to_the_end(browser: Chromium, app: Served) -> None:
    """Signed in."""
    to_code(browser, app)
    enter(browser, app.code(PHONE))
    browser.until(says("You are signed in"))


STEPS = (to_start, to_bad_number, to_code, to_wrong_code, to_proof, to_the_end)


@pytest.fixture(params=STEPS, ids=lambda step: step.__name__)
def step(request: pytest.FixtureRequest) -> Any:
    """A way to each state of the page."""
    return request.param


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(browser: Chromium, app: Served, step: Any, scheme: str) -> None:
    """At least 4.5 to 1, as WCAG's level AA asks for; what is disabled is exempt there."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", features=features)
    browser.open(app.url, 360, 640)
    step(browser, app)
    ratios = browser.js(CONTRAST)
    assert len(ratios) >= 2
    assert [(name, ratio) for name, ratio in ratios if ratio < 4.5] == []


def test_every_control_has_a_name(browser: Chromium, app: Served, step: Any) -> None:
    """In the tree that the browser makes for screen readers."""
    browser.open(app.url)
    step(browser, app)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in {"textbox", "button", "progressbar"}
    }
    assert all(name.strip() for _, name in named)
    if step is not to_the_end:
        assert any(role == "textbox" for role, _ in named)


def test_it_fits_on_a_small_phone(browser: Chromium, app: Served, step: Any) -> None:
    """320 CSS pixels, nothing to scroll sideways, and everything large enough for a thumb."""
    browser.open(app.url, 320, 568)
    step(browser, app)
    assert browser.js("document.documentElement.scrollWidth") <= 320
    assert browser.js(SMALL) == []


def test_the_page_says_what_it_is(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    facts = browser.js(
        """({
            lang: document.documentElement.lang,
            title: document.title,
            headings: document.querySelectorAll("h1").length,
            mains: document.querySelectorAll("main").length,
            viewport: document.querySelector("meta[name=viewport]").content,
            unlabelled: [...document.querySelectorAll("input")]
              .filter((e) => !e.labels.length).length,
            ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
            refers: ["aria-describedby", "aria-labelledby"].flatMap((name) =>
              [...document.querySelectorAll(`[${name}]`)].flatMap(
                (e) => e.getAttribute(name).split(" "))),
            code: document.getElementById("code").autocomplete,
            phone: document.getElementById("phone").autocomplete,
        })"""
    )
    assert (facts["lang"], facts["headings"], facts["mains"]) == ("en", 1, 1)
    assert facts["title"] == "Sign in by text message"
    assert facts["unlabelled"] == 0
    assert (facts["phone"], facts["code"]) == ("tel", "one-time-code")
    assert "user-scalable" not in facts["viewport"]
    assert "maximum-scale" not in facts["viewport"]
    assert len(facts["ids"]) == len(set(facts["ids"]))
    assert set(facts["refers"]) <= set(facts["ids"])


def test_what_happens_is_said_aloud(browser: Chromium, app: Served) -> None:
    """In live regions that are there from the start; the countdown is in none of them."""
    browser.open(app.url)
    regions = browser.js(
        "[...document.querySelectorAll('[role=alert], [role=status]')]"
        ".filter((e) => getComputedStyle(e).display !== 'none').map((e) => e.id)"
    )
    assert regions == ["problem", "status"]
    assert browser.js("document.getElementById('again').closest('[role], [aria-live]')") is None
    to_code(browser, app)
    assert browser.js("document.getElementById('status').textContent") == "The code is on its way."


def test_the_focus_can_be_seen(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    for _ in range(2):
        browser.press("Tab")
        width = browser.js("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2
