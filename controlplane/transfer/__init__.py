"""Import and export: the inventory as a document, or its devices as a table."""
