"""What happened: an append-only public log of canonical entries, with proofs anyone can check (RFC 6962, C2SP)."""
