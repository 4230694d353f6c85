"""What do the drawn stations say of the whole, and how surely?"""
