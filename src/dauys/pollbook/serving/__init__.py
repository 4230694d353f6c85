"""What stations send to the centre, and its answers."""
