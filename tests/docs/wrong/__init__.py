"""Wrong set-ups, played: the table of `docs/wrong-setups.md` is what they were seen to say."""
