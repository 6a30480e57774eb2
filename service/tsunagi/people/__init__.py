"""Owns who a person is to the exchange: an opaque id, keyed hashes to recognize them by, and which
organizations they are in relation with.

Names, dates and numbers are not kept here: they live in the record's identity section alone.
"""
