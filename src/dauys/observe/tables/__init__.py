"""What stands in the cells of a table, and in the columns that were named?"""
