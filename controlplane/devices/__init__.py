"""The inventory: sites and devices, and which device stands behind which."""
