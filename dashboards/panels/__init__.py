"""Panels by signal; each function returns one panel, and every board chooses among them."""
