"""The public scorecard: every attack family against every defence, repeated until it is sure."""
