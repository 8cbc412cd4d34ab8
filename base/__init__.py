"""What every room needs and no room should write twice: ids, errors, tasks, backoff, database.

Importable by all rooms, imports none of them, and holds no rule of the domain.
"""
