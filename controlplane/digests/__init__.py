"""What a channel with a cap is told: so many messages in a time, and of the rest a digest."""
