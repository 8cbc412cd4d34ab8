"""One module a process: each builds its objects once, in order, by hand, and runs until stopped.

The objects of the bridge and of the web role are many: they are built in ``bridge_parts``,
``web_parts`` and ``web_routes``.
"""
