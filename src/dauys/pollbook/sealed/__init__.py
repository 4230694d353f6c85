"""What the public record holds of check-ins and envelopes; no database, no key."""
