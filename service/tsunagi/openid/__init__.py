"""Owns how staff sign in through their organization's own provider (OpenID Connect): which provider that is, and the
way there and back.

Which account belongs to whom at the provider is a matter of `staff`, as are sessions.
"""
