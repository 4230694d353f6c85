"""A poll from opening to declaration."""
