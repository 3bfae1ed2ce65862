"""What the operator sees: metrics and the console. It uses the guard, never the other way round."""
