"""What does a mission know: by its own log, from the official record, of its observers and the law of the day?"""
