"""The shell: one command tree."""
