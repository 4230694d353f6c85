"""Who may observe a poll, and what do those who may put into its record?"""
