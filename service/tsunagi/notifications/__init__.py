"""Owns what organizations are told: one feed for each, without personal data, that misses nothing.

Does not decide who is told what; the room in which something happens says so.
"""
