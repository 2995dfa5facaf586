"""Scraping: from a domain to what its website publishes; what several job types share."""
