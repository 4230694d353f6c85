"""How does what an observer saw come in: forms, photos, moments, lines of text, and what the office does with them?"""
