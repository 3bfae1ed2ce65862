"""How one attempt is decided: start with `pumpguard.engine.decide`."""
