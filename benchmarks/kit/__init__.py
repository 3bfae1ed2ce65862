"""Tools for measuring: traffic, servers, clients, rounds and the arithmetic."""
