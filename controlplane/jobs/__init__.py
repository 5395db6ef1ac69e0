"""Long work: asked for now, done by a worker, looked at while it runs."""
