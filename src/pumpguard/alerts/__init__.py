"""Alerts: what an operator should look at, into the log, to a callback, or to a webhook."""
