"""Take in: requests are written down as received and answered after the commit; nothing is dropped without a reason."""
