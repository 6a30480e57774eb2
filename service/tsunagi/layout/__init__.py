"""Owns how a record is laid out for people: its sections as labelled facts, lists and tables in the order in which they
are read, what differs between two versions, and the printed record.

Labels are the schemas'; no field is named here by hand. Knows nothing of who may see what.
"""
