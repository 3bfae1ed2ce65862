"""Where counters are kept. It knows neither HTTP nor phones."""
