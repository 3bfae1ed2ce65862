"""Dated facts, each with its source: see README.md beside this file."""
