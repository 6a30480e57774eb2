"""Owns whom each side of a handover has put in charge of it, by a reference of that side's own.

Nothing else depends on it: it is no part of the record, moves no state, and the other side never learns of it. Who the
reference means is not known here; the pages use the ids of staff (`staff`).
"""
