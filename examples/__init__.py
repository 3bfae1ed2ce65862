"""Example applications that pumpguard protects."""
