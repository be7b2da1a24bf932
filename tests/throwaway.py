"""Real servers for tests: each on its own free port, in a temporary folder.

Other servers on this machine are never used, except one named by `DATABASE_URL` or `REDIS_URL`
instead of a throw-away one.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NotInstalled(Exception):
    """The program is not installed; the message names its Debian package."""


def free_port() -> int:
    """Return a TCP port on the loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, seconds: float = 10) -> None:
    """Return once 127.0.0.1:`port` accepts connections; raise TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")


def chromium() -> str:
    """Return the path of the system's Chromium, so that Playwright need not download a browser."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    raise NotInstalled("needs Chromium: apt-get install chromium")


class Postgres:
    """A PostgreSQL cluster in a temporary folder.

    >>> with Postgres() as postgres:
    ...     postgres.url
    'postgres://postgres@127.0.0.1:40123/postgres'
    """

    def __init__(self, *, keeps_commits: bool = False) -> None:
        """With `keeps_commits` a commit that was acknowledged survives `stop()`."""
        self._synchronous_commit = "on" if keeps_commits else "off"
        homes = Path("/usr/lib/postgresql").glob("*/bin")
        found = sorted(homes, key=lambda path: int(path.parent.name))
        if found:
            self._bin = found[-1]
        elif on_path := shutil.which("initdb"):
            self._bin = Path(on_path).resolve().parent
        else:
            raise NotInstalled("needs PostgreSQL: apt-get install postgresql")
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="backstride-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                  "--no-sync")  # fmt: skip
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        # The data is not needed after the tests, so it need not survive a power failure.
        options = (
            f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
            " -c full_page_writes=off -c max_connections=300"
            f" -c synchronous_commit={self._synchronous_commit}"
        )
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, as in a crash: open connections are closed."""
        self._run("pg_ctl", "-m", "immediate", "stop", check=False)

    def _run(self, program: str, *args: str, check: bool = True) -> None:
        command = [str(self._bin / program), "-D", str(self._folder / "data"), *args]
        if os.geteuid() == 0:
            # initdb and pg_ctl refuse to run as root.
            command = ["runuser", "-u", pwd.getpwnam("postgres").pw_name, "--", *command]
        subprocess.run(
            command,
            check=check,
            cwd="/",  # the postgres user may have no access to ours
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


class Redis:
    """A Redis server without persistence: `stop()` and `start()` are an outage with data loss."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise NotInstalled("needs Redis: apt-get install redis-server")
        self._program = program
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._folder = tempfile.mkdtemp(prefix="backstride-redis-")
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
             "--appendonly", "no", "--dir", self._folder, "--maxmemory-policy", "noeviction"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_port(self.port)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Dovecot:
    """An IMAP server with one mailbox, of the user `bounces` with the password `secret`.

    >>> with Dovecot() as dovecot:
    ...     dovecot.drop(b"Subject: hello\\r\\n\\r\\n")
    """

    def __init__(self) -> None:
        program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
        if program is None:
            raise NotInstalled("needs Dovecot: apt-get install dovecot-imapd")
        self._program = program
        self.port = free_port()
        self.url = f"imap://bounces:secret@127.0.0.1:{self.port}/INBOX"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="backstride-dovecot-"))
        self._folder.chmod(0o755)
        self._mails = self._folder / "mails"
        for name in ("new", "cur", "tmp"):
            (self._mails / name).mkdir(parents=True)
        # Dovecot refuses to read mail as root.
        user = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for path in (self._mails, *self._mails.iterdir()):
            shutil.chown(path, user.pw_uid, user.pw_gid)
        me = pwd.getpwuid(os.geteuid()).pw_name
        config = self._folder / "dovecot.conf"
        config.write_text(
            f"""
base_dir = {self._folder}/run
state_dir = {self._folder}/state
log_path = {self._folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
{"" if me == "root" else f"default_internal_user = {me}"}
{"" if me == "root" else f"default_login_user = {me}"}
mail_location = maildir:{self._mails}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user.pw_uid} gid={user.pw_gid} home={self._folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""
        )
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def drop(self, content: bytes) -> None:
        """Deliver a mail, as a mail server would."""
        name = f"{time.time_ns()}.test"
        path = self._mails / "tmp" / name
        path.write_bytes(content)
        owner = self._mails.stat()
        shutil.chown(path, owner.st_uid, owner.st_gid)
        path.rename(self._mails / "new" / name)

    def flags(self) -> list[str]:
        """Return the flags of each mail, oldest first: "S" is seen, "a" the first custom flag."""
        found = [*(self._mails / "new").iterdir(), *(self._mails / "cur").iterdir()]
        return [name.partition(":2,")[2] for name in sorted(path.name for path in found)]
