"""From cells to the scorecard: sums, intervals, targets, and how they are shown."""
