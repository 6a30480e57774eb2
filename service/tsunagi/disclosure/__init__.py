"""Owns what each side of a handover is shown: exactly the consented sections, what was withheld and why, and a
ledger entry for each reading.

Does not decide what consent covers (`consent`) nor who may take which step (`handovers`).
"""
