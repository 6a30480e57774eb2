"""Owns made-up people, organizations and handovers for the demo, tests and benchmarks: one seed, one case.

Nothing here is taken from a real record. Nothing is read or written: equal arguments give equal results, in all
processes. The service itself never calls it.
"""

from tsunagi.synthetic.cases import case
from tsunagi.synthetic.consents import consent, family_consent
from tsunagi.synthetic.organizations import Organizations, areas, organization, organizations
from tsunagi.synthetic.people import PEOPLE, Person, person
from tsunagi.synthetic.story import Size
from tsunagi.synthetic.timeline import Flaw, HandoverType

__all__ = [
    "PEOPLE",
    "Flaw",
    "HandoverType",
    "Organizations",
    "Person",
    "Size",
    "areas",
    "case",
    "consent",
    "family_consent",
    "organization",
    "organizations",
    "person",
]
