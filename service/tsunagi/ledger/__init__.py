"""Owns the append-only record of everything that changed or revealed something (台帳).

Entries are final when written: canonical, salted, committed, numbered within their person's stream.
Numbering across streams, tiles and signatures come on top and never change an entry.
Does not know what people, consents or handovers are.
"""
