"""Names for the entries of a list, by which they can be removed, and that say nothing else."""

from __future__ import annotations

from hashlib import blake2b

from pumpguard.errors import OrdersError
from pumpguard.orders.document import Orders
from pumpguard.orders.lists import Listing


def named(listing: Listing, secret: str) -> str:
    """An entry's name, the same for all who share the policy's secret."""
    key = blake2b(secret.encode(), digest_size=32, person=b"pg console list").digest()
    said = f"{listing.kind}\0{listing.value}".encode("utf-8", "surrogatepass")
    return blake2b(said, key=key, digest_size=8).hexdigest()


def found(orders: Orders, name: str, secret: str) -> Listing:
    """The entry of that name. Raises `OrdersError`."""
    for listing in orders.listings:
        if named(listing, secret) == name:
            return listing
    raise OrdersError("id", "one that is listed; somebody may have removed it")
