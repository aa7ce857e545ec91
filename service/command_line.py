"""Flags of every verb, turned into configurations; only `parse_command` sees argparse.

Each verb's module is imported when it runs, so that `serve` listens before torch or OpenCV are loaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from model.errors import StereoError
from service.batch.render_command import add_render_verb
from service.config import ServiceConfig
from service.models.models_command import add_models_verb
from service.serve_command import add_serve_verb

Command = Callable[[], int]


def parse_command(arguments: list[str]) -> Command:
    """The command that the arguments ask for; exits with 2 and a message when they ask for none."""
    parser = _parser()
    flags = parser.parse_args(arguments)
    try:
        return flags.build(flags)
    except StereoError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description="Stereo Convert: the service and its tools.")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for add in (add_serve_verb, add_render_verb, _add_describe, _add_doctor, add_models_verb, _add_bench):
        add(verbs)
    return parser


def _add_address(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--address", metavar="A", help="unix:PATH, HOST:PORT or tls://HOST:PORT (default: the local service's socket)"
    )
    verb.add_argument("--tls-ca", type=Path, metavar="F", help="authority of a tls:// service (default: the system's)")
    verb.add_argument("--tls-cert", type=Path, metavar="F", help="own certificate, where a tls:// service asks for one")
    verb.add_argument("--tls-key", type=Path, metavar="F", help="its key, mode 600")
    verb.add_argument("--token-file", type=Path, metavar="F", help="token for TCP (default: runtime dir)")


def _add_describe(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("describe", help="ask a running service what it is and can do")
    _add_address(verb)
    verb.set_defaults(build=_build_describe)


def _build_describe(flags: argparse.Namespace) -> Command:
    def run() -> int:
        from service.access.tls import TlsFiles
        from service.describe import describe

        tls = TlsFiles(flags.tls_cert, flags.tls_key, flags.tls_ca)
        return describe(flags.address, ServiceConfig(token_file=flags.token_file), tls)

    return run


def _add_doctor(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("doctor", help="say what is missing here and how to get it")
    verb.set_defaults(build=_build_doctor)


def _build_doctor(flags: argparse.Namespace) -> Command:
    def run() -> int:
        from service.doctor import doctor

        return doctor(ServiceConfig())

    return run


def _add_bench(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("bench", help="measure this machine")
    verb.add_argument("what", choices=("transport",), help="transport: a 1080p float RGBA frame there and back")
    verb.add_argument("--repeat", type=int, default=30, metavar="N", help="measurements of each (30)")
    verb.set_defaults(build=_build_bench)


def _build_bench(flags: argparse.Namespace) -> Command:
    def run() -> int:
        from service.bench import bench_transport

        return bench_transport(flags.repeat)

    return run
