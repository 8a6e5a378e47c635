"""May we? Purposes, the consent ledger, the one gate to every channel, suppression, users, requests of persons, the audit log.

Promise: consent fails closed. Nothing reaches a channel, an export or a score unless `allowed` says yes at that moment,
and what it rested on can be shown for any moment in the past.
"""
