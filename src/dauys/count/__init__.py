"""What follows: pure functions from law and counted protocols to totals, decisions and bounds."""
