"""What goes between a station and the centre, and who signed it."""
