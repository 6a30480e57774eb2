"""Which URLs may be asked and which addresses connected to."""

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
NO_HOSTS = tuple(map(ipaddress.IPv6Network, ("2002::/16", "2001::/32", "3fff::/20", "5f00::/16")))
"""6to4 and Teredo, whose packets go on to an IPv4 address that nobody has looked at; documentation (RFC 9637) and
segment routing (RFC 9602), which older versions of Python hold to be global."""

UrlFault = Literal["url", "not_https", "address_refused"]


def fault_in(url: str, *, to_loopback: bool) -> UrlFault | None:
    """Why the URL can be none that is asked; its name is resolved when it is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "url"
    if not host or port == 0 or parts.username is not None or parts.fragment:
        return "url"
    if parts.scheme != "https" and not (to_loopback and parts.scheme == "http"):
        return "not_https"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    secure = parts.scheme == "https"
    return None if permitted(address, secure=secure, to_loopback=to_loopback) else "address_refused"


def permitted(address: Address, *, secure: bool, to_loopback: bool) -> bool:
    """Whether something may be sent to the address: over TLS where it is public; to this machine itself only in trials,
    and then also without."""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return to_loopback
    return secure and public(address)


def public(address: Address) -> bool:
    """Whether the address is one of the Internet's, for one host alone (IANA's special-purpose registries)."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in GLOBAL_UNICAST and not any(address in network for network in NO_HOSTS)
    return True
