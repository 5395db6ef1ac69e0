"""The audit log: who did what to what, from where, kept so that nobody can change it unseen."""
