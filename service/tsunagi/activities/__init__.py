"""Owns what both sides of a handover did or settled together (連携): case conferences, joint visits, and which
organization is the employer's window; and what of it counts for how the handover stands.

Does not own the record, in which the sender tells of the same before it offers (`records`), nor what consent opens
(`consent`).
"""
