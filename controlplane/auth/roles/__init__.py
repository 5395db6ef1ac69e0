"""Roles, built in and custom, and grants: who holds which role on what."""
