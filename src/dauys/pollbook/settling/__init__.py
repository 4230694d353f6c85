"""What the commission settles: rights withdrawn and given back, envelopes."""
