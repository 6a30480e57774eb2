"""Owns what a signature proves: which keys and algorithms are accepted, that a request was made by whoever holds
a key (DPoP, RFC 9449), and that each such proof is good once.

Does not know clients, organizations or tokens: those who ask say which key it must be.
"""
