"""What a browser is told, live: a snapshot, then numbered events."""
