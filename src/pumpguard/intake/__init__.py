"""From the bytes of a request to an `Attempt`. It knows HTTP and no rules."""
