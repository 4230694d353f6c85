"""What did the observers see, and what does it say of the whole? Samples, estimates, and what they can be held against."""
