"""An app with a rule of its own."""
