"""Who may vote: the nation's roll, over the years, and the roll of one poll as it was frozen."""
