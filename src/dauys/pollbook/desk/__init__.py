"""The clerks' pages at the centre."""
