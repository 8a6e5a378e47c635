"""Catalog: what the shop sells, from feeds fetched or uploaded, and which of it a person looked at, left in the cart, or may want with what they bought."""
