"""Who gets which call: admission, agent states. Never stands before an emergency."""
