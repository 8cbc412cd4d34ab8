"""Structured logs: JSON lines in a bounded file, readable lines on a terminal, numbers masked.

Every value passes ``mask_numbers``: a caller's telephone number never reaches a log whole. Our own
lines go straight to the handlers, for a bridge writes some between a ring and its pop; what
libraries log goes the standard library's way to the same ones.
"""

import logging
import logging.handlers
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
import structlog.tracebacks

LOG_FILE_BYTES = 10_000_000
LOG_FILES_KEPT = 5
LEAST_NUMBER = 10
"""Characters of the shortest telephone number that is masked."""

_NUMBER = re.compile(r"(?<![\w.:-])(\+?86-?)?((?:0\d{2,3}-?\d{7,8})|(?:1[3-9]\d{9}))(?![\w.:-])")
"""Mainland mobile and fixed-line numbers standing alone: not parts of ids, times or ports."""


def mask_number(number: str) -> str:
    """13812348000 → 138****8000; shorter ones keep their first and last two figures."""
    if len(number) >= 11:
        return number[:3] + "*" * (len(number) - 7) + number[-4:]
    return number[:2] + "*" * max(0, len(number) - 4) + number[-2:] if len(number) > 4 else number


def mask_numbers(value: Any) -> Any:
    """Mask every telephone number within ``value``, however deep."""
    match value:
        case str() if len(value) < LEAST_NUMBER:
            return value
        case str():
            return _NUMBER.sub(lambda m: (m[1] or "") + mask_number(m[2]), value)
        case Mapping():
            return {key: mask_numbers(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [mask_numbers(inner) for inner in value]
        case int() if not isinstance(value, bool) and len(str(value)) == 11:
            return mask_numbers(str(value))
        case _:
            return value


TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
"""Where it happened, without what the variables held: callers' names and demands (R111)."""
_QUOTED = re.compile(r"(query argument \$\d+):.*|\n.*", re.DOTALL)
"""What a database's error quotes: a statement's argument, and the row in its DETAIL."""


def _unquote(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Keep of each error's message its first line, without the values that it quotes."""
    traces = event.get("exception")
    for trace in traces if isinstance(traces, list) else ():
        trace["exc_value"] = _QUOTED.sub(lambda m: m[1] or "", trace["exc_value"])
    return event


def _mask(_logger: Any, _method: str, event: structlog.typing.EventDict) -> Mapping[str, Any]:
    # exc_info still holds live objects here; the formatted traceback is masked after rendering.
    return {
        key: inner if key == "exc_info" else mask_numbers(inner) for key, inner in event.items()
    }


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure_logging(process: str, level: str, logs_dir: Path | None = None) -> None:
    """Send this process's logs to ``<logs_dir>/<process>.log`` and, on a terminal, to stderr."""
    handlers: list[logging.Handler] = []
    if logs_dir is not None:
        handlers.append(_file_handler(logs_dir, process))
    if sys.stderr.isatty() or logs_dir is None:
        handlers.append(_terminal_handler())
    root = logging.getLogger()
    for former in root.handlers[:]:
        root.removeHandler(former)
        former.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level.upper())
    # One line a request would drown what matters; the web role logs its own actions.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, _as_argument],
        logger_factory=_own_loggers(handlers),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


class _Line(logging.LogRecord):
    """A line of ours on its way to a handler: of a record's many facts it has none."""

    def __init__(self, event: structlog.typing.EventDict) -> None:
        self.event = event


class _OwnLogger:
    """What structlog gives our lines to."""

    def __init__(self, name: str, handlers: Sequence[logging.Handler]) -> None:
        self.name = name
        self._handlers = handlers

    def take(self, event: structlog.typing.EventDict) -> None:
        line = _Line(event)
        for handler in self._handlers:
            handler.handle(line)

    debug = info = warning = error = critical = take


def _own_loggers(handlers: Sequence[logging.Handler]) -> Callable[..., _OwnLogger]:
    return lambda *names: _OwnLogger(names[0] if names else "hotline", handlers)


def _as_argument(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> tuple[tuple[structlog.typing.EventDict], dict[str, Any]]:
    return (event,), {}


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Gives our own lines, as they are, and libraries' records to the same last processors."""

    def __init__(self, *last: structlog.typing.Processor) -> None:
        removed = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(foreign_pre_chain=_SHARED, processors=[removed, *last])
        self._last = last

    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record, _Line):
            return super().format(record)
        event: Any = dict(record.event)  # each handler has its own
        for processor in self._last:
            event = processor(None, "", event)
        return str(event)


class _RotatingFile(logging.handlers.RotatingFileHandler):
    """Looks at the file itself: the library's formats each line twice, once to know its length."""

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        stream = self.stream = self.stream or self._open()
        return os.fstat(stream.fileno()).st_size >= self.maxBytes


def _file_handler(logs_dir: Path, process: str) -> logging.Handler:
    logs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _RotatingFile(
        logs_dir / f"{process}.log",
        maxBytes=LOG_FILE_BYTES,
        backupCount=LOG_FILES_KEPT,
        encoding="utf-8",
    )
    handler.setFormatter(
        _Formatter(
            TRACEBACKS,
            _unquote,
            _mask,
            structlog.processors.JSONRenderer(serializer=_json),
        )
    )
    return handler


def _terminal_handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            structlog.processors.format_exc_info,
            _mask,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        )
    )
    return handler


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
