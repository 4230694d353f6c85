"""What does a sample say while its stations are still coming in?"""
