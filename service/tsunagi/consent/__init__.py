"""Owns what may be given to whom, for what, until when, and lays it out as access rows for each organization.

Does not know what a handover is: it answers which sections of a person one organization may show another.
"""
