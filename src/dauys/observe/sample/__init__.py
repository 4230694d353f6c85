"""Which stations are drawn, how many, by which design, and does anyone who draws again get the same ones?"""
