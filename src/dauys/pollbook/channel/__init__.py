"""The electronic channel's machine, for the voting system."""
