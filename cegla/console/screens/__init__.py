"""One file per screen: read the request, call actions, answer."""
