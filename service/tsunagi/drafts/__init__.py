"""Owns handovers that somebody is still writing in a browser: what was typed so far, right or wrong.

Knows neither what a record must hold nor how it is sent: a draft becomes a handover by the operations that everybody
uses. Nobody but the organization that writes it can see it.
"""
