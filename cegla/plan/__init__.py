"""What should come: a tracking plan for each source says which events it sends and what they hold; what arrives is matched with it and counted."""
