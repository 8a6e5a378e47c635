"""Trials: what could cost an acknowledged event is done on purpose, and then every acknowledged event is looked for."""
