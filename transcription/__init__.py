"""Sound to words to a draft ticket. Never delays a call: speech work is admitted, not queued."""
