"""Who may do what with a voter's right: pure, for both sides."""
