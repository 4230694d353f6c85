"""The officers' pages of a polling station."""
