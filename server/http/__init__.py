"""The HTTP interface: parse, authorise, call a room, answer. Holds no business rule."""
