"""What people order at run time: postures and lists. It knows neither HTTP nor Redis."""
