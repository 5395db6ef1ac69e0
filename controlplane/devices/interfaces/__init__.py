"""Interfaces: what devices tell of their ports, and what operators say of them."""
