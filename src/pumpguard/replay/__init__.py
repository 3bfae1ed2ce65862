"""Decides recorded traffic: what a policy would have done, and to whom.

``read`` → ``entry`` → ``journal`` (a file of its own, in the order of time) → ``play`` → ``report``
and ``episodes``. Nothing here is imported by a guard that is in use.
"""
