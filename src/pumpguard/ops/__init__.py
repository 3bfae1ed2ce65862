"""What the operator sees: counts and events."""
