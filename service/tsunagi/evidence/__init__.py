"""Owns the evidence against the fee reduction for settlement providers (支援体制構築未実施減算): their guidelines for
sharing, and whether all that the fee rules ask for can be shown of each person whose service ends.

Everything but the guidelines is computed from what other rooms keep. Decides nobody's fee.
"""
