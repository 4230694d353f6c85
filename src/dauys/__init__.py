"""Dauys runs a referendum or an election under its own law and publishes what proves the result."""

__version__ = "0.1.0"
