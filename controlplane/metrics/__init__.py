"""Numbers that express an intention: thresholds, and the intent that rules are joined with."""
