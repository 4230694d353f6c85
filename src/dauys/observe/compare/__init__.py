"""Does the official count say what observers copied at the stations, and what follows where it does not?"""
