"""The catalogue: small named objects that devices refer to, the same for everybody."""
