"""What to ask devices, and what the answers mean."""
