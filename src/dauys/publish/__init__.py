"""What the public gets: bundle, verifier, exports, pages."""
