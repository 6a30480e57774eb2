"""The pages: what staff, administrators and auditors see in a browser.

A page asks the contract's own operations, in the name of whoever is signed in; it knows no table, and of rules only
those of a record and a consent, for what is being written and is no whole document yet. It works
without scripts, loads nothing from elsewhere, and speaks Japanese first.
"""
