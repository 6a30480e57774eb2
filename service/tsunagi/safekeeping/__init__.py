"""Owns that what was acknowledged stays: what a database must not be set to, and what a copy of it must bring back.

Does not know what the rows mean, and holds no key.
"""
