"""What was done to an object of the inventory, as far as the reader may know."""
