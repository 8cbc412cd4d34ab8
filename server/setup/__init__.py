"""Makes a bare machine ready: packages, Asterisk, models, prompts, secrets. Each step is quick
when its work is already done, and says what to do when it cannot be done."""
