"""Owns the records of provision to third parties (第三者提供記録): what the privacy law makes giver and receiver keep
about each transfer, made by the platform for both, and until when they are kept.

Does not decide what may be given (`consent`), notices no reading by itself (`disclosure` tells it), deletes nothing.
"""
