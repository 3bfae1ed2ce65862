"""The attack harness: real attacks and real users, with and without pumpguard."""
