"""How does a mission work: from its frame and its sample to forms, estimate, comparison, audit and report?"""
