"""Protocols and turnout reports: how they come in, what is checked, which state they are in, how they are corrected."""
