"""The doors out: each a Protocol, a real class and a fake beside it."""
