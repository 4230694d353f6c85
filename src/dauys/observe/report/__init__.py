"""What did a mission observe, estimate, compare and audit, and where does each number come from?"""
