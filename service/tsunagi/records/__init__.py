"""Owns what a handover record says: the narrow view that the service reads of it, and the pure rules that its
schema cannot state.

Shape is the schema's alone. Knows nothing of who may see what, or where the record stands.
"""
