"""PostgreSQL, Valkey and Asterisk as private services, each in a session of its own.

They outlive the product: a killed supervisor leaves them running, and the next ``up`` adopts
them. Nothing here touches a service of the host or a port that is not in the settings.
"""
