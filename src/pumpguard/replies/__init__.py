"""What the client hears. Replies tell it how to go on, and nothing about why."""
