"""Lists and packages go out to the stations."""
