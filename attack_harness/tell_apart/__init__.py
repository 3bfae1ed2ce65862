"""An attacker who compares: real answers beside shadows, and what a classifier makes of them."""
