"""Owns the way of a record from offer to completion: who may do what in which state, what each side sees,
and what an acceptance does to responsibility.

Does not state the record's shape (`schemas/`) or its rules (`records`), nor what consent opens (`consent`).
"""
