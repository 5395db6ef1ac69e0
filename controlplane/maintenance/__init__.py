"""Maintenance: when work is planned on devices, so that nobody is told of what it causes."""
