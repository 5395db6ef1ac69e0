"""Requests that may be sent again: what was done once is not done twice."""
