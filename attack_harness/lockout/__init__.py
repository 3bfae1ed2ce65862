"""What an attacker can do to an app's users by way of its guard, and what it costs him."""
