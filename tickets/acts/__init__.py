"""What each move needs and what it changes: pure functions from a scene and a move to what is made.

``registration``, ``dispatching``, ``at_unit``, ``requests`` and ``ending`` follow a ticket's life.
None of them looks at state, role or lane: ``tickets.decision`` has done that by the table.
"""
