"""The law as data: city packs, what they decide and why, working days, clocks.

Pure: nothing here touches a network, a database or the time of day; dates are passed in.
"""
