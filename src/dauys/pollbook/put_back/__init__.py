"""The centre after its database was put back from a copy."""
