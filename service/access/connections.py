"""How many may be connected to one door: who merely connects must not shut the others out, or use up our files.

A door is the Unix socket or the TCP port. Anybody in reach may connect to the latter, before any token is asked for.
"""

from __future__ import annotations

import resource

MOST_FILES = 65_536
"""More open files than this are not asked of the system: what we count is bounded far below."""

FILES_A_CONNECTION = 4
"""Of so many files one may be a connection of a door; the rest is for the other door, stores, caches and libraries."""

HANDSHAKE_S = 10.0
"""Who connects and says nothing is dropped after so long (gRPC's own value is 120 s)."""

IDLE_S = 300.0
"""Who has no call open for so long at the TCP port is let go; gRPC's clients connect again by themselves."""

# A peer that vanished without closing its connection is noticed within half a minute.
_KEEPALIVE = (("grpc.keepalive_time_ms", 20_000), ("grpc.keepalive_timeout_ms", 10_000))

Options = tuple[tuple[str, int], ...]


def raise_file_limit() -> int:
    """Let this process open as many files as the system allows it, MOST_FILES at most; return how many those are.

    The limit that programs start with is often 1024, for the sake of old ones that use select().
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def door_options(max_connections: int, open_files: int, *, is_tcp: bool) -> Options:
    """gRPC's options for one door.

    max_connections  that it takes at once, fewer where a quarter of `open_files` is less
    """
    most = min(max_connections, open_files // FILES_A_CONNECTION)
    bounds = (
        ("grpc.max_allowed_incoming_connections", most),
        ("grpc.server_handshake_timeout_ms", round(1000 * HANDSHAKE_S)),
        ("grpc.so_reuseport", 0),
    )
    idle = (("grpc.max_connection_idle_ms", round(1000 * IDLE_S)),) if is_tcp else ()
    return (*_KEEPALIVE, *bounds, *idle)
