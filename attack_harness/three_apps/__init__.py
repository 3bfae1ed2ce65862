"""A day in three apps that are shaped as other people's are (`examples.three_apps`)."""
