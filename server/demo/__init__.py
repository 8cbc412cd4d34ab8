"""The demo's people: a citizen, an agent's telephone, an emergency exchange, and eyes on a desk.

They use the product only as real ones would: SIP phones, the HTTP interface, the websocket.
"""
