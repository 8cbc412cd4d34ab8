"""The only composition root: command line, processes, HTTP, push, login. Holds no business rule."""
