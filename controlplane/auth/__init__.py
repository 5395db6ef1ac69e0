"""Who is asking, and what they may do: passwords, tokens, permissions."""
