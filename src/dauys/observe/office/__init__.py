"""What does every page of a mission stand on: who asks, what was sent, how is it answered, what goes on beside?"""
