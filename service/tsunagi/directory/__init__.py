"""Owns who is who: organizations with their many identifiers, the corporate bodies behind them, areas and
their rules, and the import of the published list.

An organization is never deleted: it closes, and its history keeps the names and numbers of its day.
Does not know who may call for an organization (auth), nor anything about people.
"""
