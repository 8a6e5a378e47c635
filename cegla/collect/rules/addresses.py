"""IP addresses are shortened before they are written anywhere: /24 for IPv4, /48 for IPv6."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


@lru_cache(maxsize=8_192)
def truncated(text: str) -> str | None:
    """The network an address lies in, as its first address ("203.0.113.0"); None when it is no address."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = 24 if isinstance(address, IPv4Address) else 48
    return str(ip_network(f"{address}/{bits}", strict=False).network_address)
