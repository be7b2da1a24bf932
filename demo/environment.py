"""The environment of a demo, generated where a real clinic configures it.

Imported before the settings: it must not use Django.
"""

import argparse
import os
import secrets
from collections.abc import MutableMapping, Sequence
from pathlib import Path

DEFAULT_STATE_DIR = Path(__file__).resolve().parent.parent / "var"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, help="port on 127.0.0.1 (default: the environment's PORT, or 8000)"
    )
    parser.add_argument(
        "--state",
        type=Path,
        help="folder for the database, broker, mails and logs (default: var/)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="throw the demo's database away and start again"
    )


def prepare_environment(arguments: Sequence[str], environ: MutableMapping[str, str]) -> None:
    """Complete ``environ`` for ``manage.py demo`` with these arguments; set values remain.

    The secret key is generated once and stored in the state folder, so that links in mails that
    the demo has sent still work after a restart.
    """
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)

    state = options.state or Path(environ.get("STATE_DIR") or DEFAULT_STATE_DIR)
    state = state.absolute()
    state.mkdir(parents=True, exist_ok=True)
    environ["STATE_DIR"] = str(state)
    environ["DEMO"] = "1"
    environ["PORT"] = str(options.port or environ.get("PORT") or 8000)
    environ.setdefault("BASE_URL", f"http://127.0.0.1:{environ['PORT']}")
    environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,localhost")
    environ.setdefault("SECRET_KEY", _kept_key(state / "secret-key"))


def _kept_key(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    key = secrets.token_urlsafe(64)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key
