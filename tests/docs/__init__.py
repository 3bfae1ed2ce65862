"""What the manual shows, run as it stands there."""
