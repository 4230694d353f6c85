"""What does a night or a vote look like? Pictures as SVG by hand, with words in the reader's language from outside."""
