"""Verifying: from addresses to verdicts through the cache and the doors; what several job types share."""
