"""Packs: everything that is particular to one country, as data. No code lives here."""
