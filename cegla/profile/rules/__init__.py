"""The pure core of profiles: what one event says (enrichment), and what a history says (traits)."""
