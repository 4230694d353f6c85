"""What may happen: the forms, identities and decision rules that a law lays down, as data with citations."""
