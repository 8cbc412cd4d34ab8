"""What leaves the house: short messages to callers, signed messages to units and subscribers.

Each channel of the outbox has its way out here (``senders``). Owns no fact of a ticket; what is
told was decided and written elsewhere.
"""
