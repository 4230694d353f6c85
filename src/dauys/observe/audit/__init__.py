"""Does the paper agree with what was announced? Risk-limiting audits: every decision to stop is an exact comparison."""
