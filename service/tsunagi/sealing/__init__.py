"""Owns how what is written about people lies in the database: sealed, each row's texts under a data key of its own,
each data key wrapped by a master key that the database does not hold.

Does not know what the texts say, nor who may read them: rooms seal what they keep and unseal what they fetch.
"""
