"""A one-time-password app with a fake SMS provider and a fake mobile operator behind it."""
