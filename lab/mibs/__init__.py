"""The standard MIB modules every device answers, as rows of (object identifier, encoded value)."""
