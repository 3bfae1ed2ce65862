"""The smallest guarded app."""
