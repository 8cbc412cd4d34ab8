"""Everything that speaks to Asterisk: AMI, call control, live audio, its configuration.

No AMI word (Uniqueid, DestChannel …) leaves this room; what leaves are the events of
``telephony.events``.
"""
