"""A machine with a log of its own: its book, its disk, its way to the centre."""
