"""What is not good enough yet to be relied on. It may change or go in any release."""
