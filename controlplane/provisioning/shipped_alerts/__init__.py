"""The alerts that are shipped, and what operators changed about them."""
