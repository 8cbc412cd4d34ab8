"""The live desk: telephony's events and spoken words become what agents see and what is stored.

Runs in the bridge process, the single writer of live facts.
"""
