"""Names and numbers as they are shown to whoever has given no reason to see more. Pure."""

_VISIBLE_DIGITS = (3, 4)


def masked_name(name: str) -> str:
    """王小明 → 王**: as the database masks it for units."""
    return name[:1] + "*" * len(name[1:])


def masked_number(number: str) -> str:
    """13800001234 → 138****1234."""
    first, last = _VISIBLE_DIGITS
    return f"{number[:first]}****{number[first:][-last:]}" if number else ""
