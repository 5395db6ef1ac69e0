"""Alerting rules that people write: checked, kept as drafts, and put in force by who may."""
