"""Services that are asked by a body, or answer in words."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import PolicyError
from pumpguard.scores.lookup import LookupScore
from pumpguard.scores.services import google, prelude, telesign
from pumpguard.testing import make_attempt
from tests.senders.provider import Provider

PHONE, ADDRESS = "+447400123456", "81.2.69.142"
PATIENT = 10.0


async def scored(score: LookupScore, provider: Provider, address: str | None = ADDRESS) -> Any:
    """The factor for one attempt, asked there."""
    score._url = provider.origin + "/" + score._url.split("/", 3)[3]
    try:
        return await score.score(make_attempt(PHONE, address))
    finally:
        await score.aclose()


@pytest.mark.parametrize(
    ("word", "factor"), [("legitimate", 0.75), ("suspicious", 4.0), ("fraudulent", None)]
)
async def test_prelude_answers_in_words(word: str, factor: float | None) -> None:
    """A word that nobody has told us is a fault, and no verdict."""
    async with Provider(200, {"id": "prd_1", "prediction": word, "request_id": "r"}) as provider:
        assert await scored(prelude("key", deadline=PATIENT), provider) == factor
    assert provider.lines == ["POST /v2/watch/predict HTTP/1.1"]
    assert provider.headers[0]["authorization"] == "Bearer key"
    target = {"type": "phone_number", "value": PHONE}
    assert provider.bodies == [{"target": target, "signals": {"ip": ADDRESS}}]


@pytest.mark.parametrize(("risk", "factor"), [(13, 0.75), (401, 1.5), (610, 4.0)])
async def test_telesign_takes_a_form(risk: int, factor: float) -> None:
    """The number stands in the path; an address that is unknown is left out."""
    answer = {"risk": {"score": risk, "level": "x", "recommendation": "x"}}
    async with Provider(200, answer) as provider:
        asking = telesign("me", "key", deadline=PATIENT)
        assert await scored(asking, provider, address=None) == factor
    assert provider.lines == ["POST /v1/score/447400123456 HTTP/1.1"]
    assert provider.bodies == [{"account_lifecycle_event": "create",
                                "request_risk_insights": "true"}]  # fmt: skip


@pytest.mark.parametrize(("risk", "factor"), [(0.0, 0.75), (0.6, 1.0), (0.95, 4.0), (None, None)])
async def test_google_says_how_likely_toll_fraud_is(
    risk: float | None, factor: float | None
) -> None:
    """Without a verdict it is as if nobody had been asked."""
    verdict = {} if risk is None else {"smsTollFraudVerdict": {"risk": risk, "reasons": []}}
    async with Provider(200, {"name": "a", "phoneFraudAssessment": verdict}) as provider:
        asking = google("shop", "key", "site", deadline=PATIENT)
        assert await scored(asking, provider) == factor
    assert provider.headers[0]["x-goog-api-key"] == "key"
    (body,) = provider.bodies
    assert isinstance(body, dict)
    assert body["event"]["userInfo"] == {"userIds": [{"phoneNumber": PHONE}]}
    assert body["event"]["userIpAddress"] == ADDRESS


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"body": {"number": "{number}"}}, "score.url"),
        ({"words": {"bad": 0.0}}, "score.words"),
        ({"facts": {"valid": {False: 0.0}}}, "score.words"),
        ({"url": "http://score.example/"}, "score.url"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], path: str) -> None:
    """A service that is not told the number would score all alike."""
    url = {"url": "https://score.example/", "body": {"number": "{phone}"}}
    with pytest.raises(PolicyError) as raised:
        LookupScore(**{**url, **settings})
    assert raised.value.path == path
