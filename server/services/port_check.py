"""Is a port free for us? Asked before a service starts, so that the answer is a clear sentence."""

import errno
import socket

from base.errors import SetupError
from server.services.identity import listener_on


def is_free(host: str, port: int, *, udp: bool = False) -> bool:
    """Return whether a listener could be opened now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if not udp:
            # Without this, connections of a server that just ended would count as a taken port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise SetupError(
                f"nothing can listen on {host}: {error.strerror}",
                fix="set bind to an address of this machine",
            ) from error
    return True


def require_free(host: str, port: int, setting: str, *, udp: bool = False) -> None:
    """Raise unless ``port`` is free; ``setting`` is its key, such as ``ports.redis``."""
    if not is_free(host, port, udp=udp):
        kind = "UDP" if udp else "TCP"
        raise SetupError(
            f"{kind} port {port} ({setting}) is taken by {listener_on(port)}",
            fix=f"end it, or set {setting} or port_base (HOTLINE_PORT_BASE) to free ports",
        )
