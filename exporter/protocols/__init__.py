"""How to talk to devices; the protocols know nothing of each other."""
