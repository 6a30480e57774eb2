"""The pages: what staff, administrators and auditors see in a browser.

A page asks the contract's own operations, in the name of whoever is signed in; it knows no rule and no table. It works
without scripts, loads nothing from elsewhere, and speaks Japanese first.
"""
