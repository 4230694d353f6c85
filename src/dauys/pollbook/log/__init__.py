"""What happened at a station, in which order, and who says so."""
