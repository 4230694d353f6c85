"""A lost machine's paper comes in."""
