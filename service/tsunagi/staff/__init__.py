"""Who of an organization's staff may look and act in the browser: accounts, roles, passwords, second factors, sessions.

What they may do is what their role's scopes allow a software client; the pages are one.
"""
