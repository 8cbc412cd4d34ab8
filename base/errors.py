"""The one root of every refusal and failure this product speaks of.

An error is a stable code with parameters. The code is part of the HTTP API and is never renamed;
the browser turns it into Chinese words. A subclass's docstring is its default English text.
"""

from typing import ClassVar


class HotlineError(Exception):
    """Something went wrong inside the hotline."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, **params: object) -> None:
        self.params = params
        self.message = message or self.says()
        super().__init__(self.message)

    @classmethod
    def says(cls) -> str:
        """The default English text."""
        return (cls.__doc__ or cls.code).strip().splitlines()[0]

    def __str__(self) -> str:
        if not self.params:
            return self.message
        detail = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.message} ({detail})"


class SetupError(HotlineError):
    """The installation or its settings cannot work as they are.

    Printed to a person as ``FAIL <what>`` and ``fix: <how>``; ``fix`` is therefore required.
    """

    code = "setup_failed"

    def __init__(self, what: str, *, fix: str, **params: object) -> None:
        self.fix = fix
        super().__init__(what, **params)
