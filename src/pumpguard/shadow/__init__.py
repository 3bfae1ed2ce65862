"""What makes a shadow look like a message sent: its time, its answer, what is refused anyway."""
