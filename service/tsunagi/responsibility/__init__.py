"""Owns who holds responsibility for a person, domain by domain, from the first day on and without end, and
what was known of it when (責任); and the dates that follow from service dates and an area's rules (期限).

Does not know why it moves: the room that hands a person over says who takes what from which day. Does not
decide who may look.
"""
