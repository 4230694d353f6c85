"""What in the counts is unusual? Indicators, never verdicts: each with what it assumes, beside a control election."""
