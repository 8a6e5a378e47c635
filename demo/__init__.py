"""A demonstration: a shop with known truth, and a tour of Cegla on real data. Nothing in `cegla` imports it."""
