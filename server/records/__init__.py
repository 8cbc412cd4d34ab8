"""What must last of calls: facts, rings, words, drafts; written by the bridge, read by all."""
