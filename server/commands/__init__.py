"""The verbs of ``./hotline``, one module each; ``server.cli`` lists them."""
