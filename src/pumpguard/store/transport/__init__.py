"""The way to the server: calls of one event loop share few connections and few writes."""
