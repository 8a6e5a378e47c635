"""What could not be used, and its second chance: quarantine keeps every such event whole, with its reason, until it is replayed or let go."""
