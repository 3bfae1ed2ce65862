"""Services that know more about a number, beside Twilio's Lookup: each a `LookupScore`.

    guard = Guard(policy, store, score=prelude("the API key"))

The factors are ours, as those of `pumpguard.scores.lookup.BANDS` are. ``settings`` are those of
`LookupScore`, such as ``price``, which is your contract's, and ``daily_budget``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pumpguard.scores.lookup import LookupScore


def prelude(key: str, **settings: Any) -> LookupScore:
    """Prelude Watch: ``legitimate`` or ``suspicious``.

    https://docs.prelude.so/watch/v2/api-reference/predict-outcome (read on 2026-11-26)."""
    own: dict[str, Any] = {
        "url": "https://api.prelude.dev/v2/watch/predict",
        "headers": {"authorization": f"Bearer {key}"},
        "body": {
            "target": {"type": "phone_number", "value": "{phone}"},
            "signals": {"ip": "{address}"},
        },
        "field": "prediction",
        "words": {"legitimate": 0.75, "suspicious": 4.0},
    }
    return LookupScore(**{**own, **settings})


def telesign(customer: str, key: str, **settings: Any) -> LookupScore:
    """Telesign Intelligence: 0 to 1,000, where it advises to flag from 401 and to block from 601.

    https://developer.telesign.com/enterprise/docs/intelligence-get-started (its scale, 2026-11-26);
    the form is that of Telesign's own clients (github.com/TeleSign/sample_code, ruby_telesign;
    2026-11-27), whose newest ask Intelligence Cloud instead, at another host."""
    own: dict[str, Any] = {
        "url": "https://rest-ww.telesign.com/v1/score/{digits}",
        "auth": (customer, key),
        "body": {"account_lifecycle_event": "create", "originating_ip": "{address}",
                 "request_risk_insights": "true"},
        "form": True,
        "field": "risk.score",
        "bands": {0: 0.75, 401: 1.5, 601: 4.0},
    }  # fmt: skip
    return LookupScore(**{**own, **settings})


def google(project: str, key: str, site_key: str, **settings: Any) -> LookupScore:
    """Google's SMS defense: the risk of toll fraud, 0 to 1; the site key is an "express" one.

    https://cloud.google.com/recaptcha/docs/sms-fraud-detection (its scale, 2026-11-26), and Event,
    UserId and SmsTollFraudVerdict as Google publishes its API for clients (2026-11-27)."""
    where = f"https://recaptchaenterprise.googleapis.com/v1/projects/{quote(project, safe='')}"
    own: dict[str, Any] = {
        "url": f"{where}/assessments",
        "headers": {"x-goog-api-key": key},
        "body": {
            "event": {
                "siteKey": site_key,
                "express": True,
                "userIpAddress": "{address}",
                "userInfo": {"userIds": [{"phoneNumber": "{phone}"}]},
            }
        },
        "field": "phoneFraudAssessment.smsTollFraudVerdict.risk",
        "bands": {0: 0.75, 0.5: 1.0, 0.7: 1.5, 0.9: 4.0},
    }
    return LookupScore(**{**own, **settings})
