"""A server-rendered form whose refusals are pages."""
