"""Owns how the service reaches addresses that others have named: which are permitted, the connection, one question.

What is sent there and what an answer means belongs to whoever asks.
"""
