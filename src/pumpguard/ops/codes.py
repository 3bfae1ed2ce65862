"""The reason codes that call for a person."""

ALERTING = (
    "BUDGET_ALERT",
    "BUDGET_LOW",
    "BUDGET_SPENT",
    "PROVIDER_OUTAGE",
    "SEND_SPIKE",
    "ATTEMPT_SPIKE",
)
