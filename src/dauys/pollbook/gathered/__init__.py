"""What follows from the logs that the centre has: seals, sums, states, an audit."""
