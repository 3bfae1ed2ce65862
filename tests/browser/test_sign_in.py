"""People sign in with a real browser; programs that speak plain HTTP do not get far."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import Chromium
from tests.browser.conftest import Served

PHONE = "+447400123456"

ASKED = "!document.getElementById('ask').hidden"
SENT = "!document.getElementById('enter').hidden"
IDLE = "!document.querySelector('form:not([hidden]) button').disabled"


def shown(element: str) -> str:
    """The condition that a message of the page can be read."""
    return f"document.getElementById('{element}').checkVisibility()"


def says(words: str) -> str:
    """The condition that the page says this."""
    return f"document.body.innerText.includes({json.dumps(words)})"


def ask(browser: Chromium, phone: str = PHONE) -> None:
    """Type a number into the form, as a person does, and send it."""
    browser.js("document.getElementById('phone').value = ''")
    browser.click("#phone")
    browser.type(phone)
    browser.click("#ask button")


def enter(browser: Chromium, code: str) -> None:
    """Type a code where the page has put the focus."""
    browser.js("document.getElementById('code').value = ''")
    browser.type(code)
    browser.press("Enter")


def test_a_person_gets_a_code_and_is_signed_in(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    ask(browser)
    browser.until(SENT)
    enter(browser, app.code(PHONE))
    browser.until(says("You are signed in"))

    assert browser.js("document.activeElement.id") == "title"
    assert len(app.messages()) == 1
    assert browser.complaints == []


def test_a_person_under_challenge_all_solves_it_and_gets_a_code(
    browser: Chromium, wary: Served
) -> None:
    """It sees that something is going on, and has nothing to do."""
    browser.open(wary.url, 390, 700)
    ask(browser)
    browser.until(f"{shown('proof')} || {SENT}")
    browser.until(SENT)
    enter(browser, wary.code(PHONE))
    browser.until(says("You are signed in"))

    assert wary.get("metrics/firewall")["by_action"] == {"allow": 1, "challenge": 1}
    assert any(url.endswith("/static/worker.js") for url in browser.requested)
    assert browser.complaints == []


def test_a_program_with_plain_http_gets_none(wary: Served) -> None:
    """Nor does it with what is no solution, or with the header that only simulated people have
    spelt another way."""
    for headers in ({}, {"X-Challenge-Solution": "e30="}, {"X-Sim-Human": "yes"}):
        status, problem = wary.post(PHONE, **headers)
        assert status == 403
        assert problem["type"].endswith("/challenge")
        assert problem["challenge"]["kind"] == "altcha"
    assert wary.messages() == []


def test_a_solution_of_the_page_is_no_use_to_anybody_else(browser: Chromium, wary: Served) -> None:
    """Taken from the browser and sent again by a program: for the same number, and for another."""
    browser.open(wary.url)
    browser.js(
        """const real = fetch;
        globalThis.fetch = (path, options) => {
            globalThis.solution = options.headers["X-Challenge-Solution"];
            return real(path, options);
        }"""
    )
    ask(browser)
    browser.until(SENT)
    solution = browser.js("globalThis.solution")
    assert len(solution) > 500
    later = str(wary.messages()[-1]["at"] + 61)  # the number may have another code by then
    for phone in (PHONE, "+447400123999"):
        headers = {"X-Challenge-Solution": solution, "X-Sim-Time": later}
        status, problem = wary.post(phone, **headers)
        assert (status, problem["title"]) == (403, "Proof required")
    assert len(wary.messages()) == 1


def test_a_check_can_be_called_off(browser: Chromium, wary: Served) -> None:
    """The work stops, nothing is sent, and the form is there again."""
    browser.open(wary.url)
    browser.js(
        """const real = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (data) {
            real.call(this, {...data, first: 2 ** 30});
        }"""
    )  # where no solution is
    ask(browser)
    browser.until(shown("proof"))
    browser.click("#cancel")
    browser.until(IDLE)
    assert not browser.js(shown("proof"))
    assert browser.js("document.getElementById('status').textContent") == "Cancelled."
    assert browser.js("document.activeElement.closest('form').id") == "ask"
    assert wary.messages() == []


def test_a_check_that_the_page_does_not_know_is_said(browser: Chromium, wary: Served) -> None:
    """Such as a widget of a service that this page has never heard of."""
    browser.open(wary.url)
    browser.js(
        """globalThis.fetch = async () => new Response(
            JSON.stringify({type: "tag:x/challenge", challenge: {kind: "turnstile"}}),
            {status: 403})"""
    )
    ask(browser)
    browser.until(says("cannot do the check"))
    browser.until(IDLE)


def test_everything_works_without_a_mouse(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    browser.press("Tab")
    assert browser.js("document.activeElement.id") == "phone"
    browser.type(PHONE)
    browser.press("Tab")
    browser.press("Space")
    browser.until(SENT)
    assert browser.js("document.activeElement.id") == "code"
    browser.type(app.code(PHONE))
    browser.press("Enter")
    browser.until(says("You are signed in"))


@pytest.mark.parametrize("phone", ["", "   "])
def test_an_empty_number_is_not_even_sent(browser: Chromium, app: Served, phone: str) -> None:
    browser.open(app.url)
    ask(browser, phone)
    browser.until(says("Please enter your mobile number"))
    assert not any("/otp/" in url for url in browser.requested)


@pytest.mark.parametrize("phone", ["hello", "+44", "07400123456"])
def test_what_is_no_number_is_said_at_the_field(browser: Chromium, app: Served, phone: str) -> None:
    browser.open(app.url)
    ask(browser, phone)
    browser.until(shown("phone-error"))
    assert browser.js("document.activeElement.id") == "phone"
    assert browser.js("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert "country code" in browser.js("document.getElementById('phone-error').innerText")


def test_a_refused_number_is_said_at_the_field(browser: Chromium, app: Served) -> None:
    """A premium number: the person learns what to do, and no reason."""
    browser.open(app.url)
    ask(browser, "+449012345678")
    browser.until(says("send a code to this number"))
    assert browser.js("document.activeElement.id") == "phone"


def test_who_asks_too_often_is_told_for_how_long(browser: Chromium, app: Served) -> None:
    app.post(PHONE)
    browser.open(app.url)
    ask(browser)
    browser.until(says("Too many codes were asked for. Please try again in"))
    browser.until(IDLE)


def test_who_has_proven_once_and_was_too_early_need_not_prove_again(
    browser: Chromium, wary: Served
) -> None:
    """A refused request uses no solution up, so the page sends it along with the next try."""
    browser.open(wary.url)
    ask(browser)
    browser.until(SENT)
    browser.open(wary.url)
    ask(browser)  # solves another one, and is too early for this number
    browser.until(says("Too many codes were asked for"))
    later = str(wary.messages()[-1]["at"] + 61)
    browser.call("Network.setExtraHTTPHeaders", headers={"X-Sim-Time": later})
    browser.until(IDLE)
    browser.click("#ask button")
    browser.until(SENT)
    browser.call("Network.setExtraHTTPHeaders", headers={})
    counted = wary.get("metrics/firewall")["by_action"]
    assert counted == {"allow": 2, "challenge": 2, "throttle": 1}


def test_a_wrong_code_can_be_mended(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    ask(browser)
    browser.until(SENT)
    right = app.code(PHONE)
    enter(browser, "12345")
    browser.until(says("six digits"))
    enter(browser, f"{(int(right) + 1) % 1_000_000:06}")
    browser.until(says("This code is not right"))
    assert browser.js("document.activeElement.id") == "code"
    enter(browser, right)
    browser.until(says("You are signed in"))


def test_a_resend_waits_and_then_sends(browser: Chromium, app: Served) -> None:
    """The time is the browser's here, and the server's there: both have to pass."""
    browser.open(app.url)
    browser.js("globalThis.real = Date.now; globalThis.ahead = 0; Date.now = () => real() + ahead")
    ask(browser)
    browser.until(SENT)
    assert browser.js("document.getElementById('again').disabled")
    browser.until(
        "/Send it again in \\d+ seconds/.test(document.getElementById('again').innerText)"
    )
    browser.js("ahead = 60_000")
    browser.until("!document.getElementById('again').disabled")
    browser.click("#again")  # for the server it is too early
    browser.until(says("Too many codes were asked for"))
    browser.until("/again in \\d+ sec/.test(document.getElementById('again').innerText)")
    later = str(app.messages()[-1]["at"] + 61)
    browser.call("Network.setExtraHTTPHeaders", headers={"X-Sim-Time": later})
    browser.js("ahead = 200_000")
    browser.until("!document.getElementById('again').disabled")
    browser.click("#again")
    browser.until("document.getElementById('status').textContent.includes('on its way')")
    browser.call("Network.setExtraHTTPHeaders", headers={})
    assert [message["phone"] for message in app.messages()] == [PHONE] * 2


def test_another_number_can_be_used(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    ask(browser)
    browser.until(SENT)
    browser.click("#change")
    browser.until(ASKED)
    assert browser.js("document.activeElement.id") == "phone"
    browser.type("+447400123999")  # over the old one, which is selected
    browser.press("Enter")
    browser.until(says("+447400123999"))


def test_without_a_network_the_person_is_told(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    browser.call("Network.emulateNetworkConditions", offline=True, latency=0,
                 downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
    ask(browser)
    browser.until(says("We can’t be reached"))
    browser.until(IDLE)


def test_a_fault_of_the_server_is_not_blamed_on_the_person(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    browser.js("globalThis.fetch = async () => new Response('oops', {status: 503})")
    ask(browser)
    browser.until(says("We can’t send codes right now"))


def test_pressing_twice_sends_once(browser: Chromium, app: Served) -> None:
    browser.open(app.url)
    browser.js(
        f"""document.getElementById('phone').value = '{PHONE}';
        for (let i = 0; i < 3; i++) document.getElementById('ask').requestSubmit()"""
    )
    browser.until(SENT)
    assert len([url for url in browser.requested if url.endswith("/otp/send")]) == 1


def test_the_page_is_all_its_own(browser: Chromium, wary: Served) -> None:
    """Nothing from elsewhere is loaded, and the policy it is served with forbids it."""
    browser.open(wary.url)
    ask(browser)
    browser.until(SENT)
    assert {urlsplit(url).netloc for url in browser.requested} == {urlsplit(wary.url).netloc}

    browser.js("document.body.append(Object.assign(document.createElement('img'),"
               " {src: 'http://127.0.0.1:9/x.png'}))")  # fmt: skip
    browser.js("document.body.append(Object.assign(document.createElement('script'),"
               " {textContent: 'globalThis.bad = 1'}))")  # fmt: skip
    browser.until("true")
    assert browser.js("globalThis.bad") is None
    assert len(browser.complaints) == 2
    assert all("Content Security Policy" in complaint for complaint in browser.complaints)
