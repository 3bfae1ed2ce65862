"""What money rules are worth: the bound and its attacker, caps without detectors, poisoning."""
