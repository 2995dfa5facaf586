"""From recipients to delivered messages: the sender, the pre-flight of its domain, and the bounces that come back."""
