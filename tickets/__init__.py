"""The work order's whole life: registration, ledger, SQL. Knows nothing about phones."""
