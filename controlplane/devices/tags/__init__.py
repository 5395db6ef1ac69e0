"""Tags: the words that devices carry, over all devices that somebody reaches."""
