"""Open the book to a class: a JupyterHub on this machine, with copies for each learner.

usage: python tools/classroom/hub.py [--homes FOLDER] [--without-solutions]
                                     [--ip ADDRESS] [--port PORT]
                                     [JupyterHub's options]

This is what `make class` does. Learners' homes are in homes/, a folder for each; the
hub's own state, with the password that lets them in, in homes/.hub. Like
tools/start.py this runs before anything is installed.
"""

import argparse
import importlib.util
import os
import secrets
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from install import Failure, install, install_npm  # noqa: E402
from start import has_the_book  # noqa: E402

CONFIG = Path(__file__).with_name("hub_config.py")
PROXY = ROOT / "node_modules" / "configurable-http-proxy"
LETTERS = "abcdefghkmnpqrstuvwxyz23456789"  # none that is read for another
SHORTEST = 8  # characters of a password, for JupyterHub


def main(arguments):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--homes", type=Path, default=ROOT / "homes")
    parser.add_argument("--without-solutions", action="store_true")
    parser.add_argument("--ip", default="")
    parser.add_argument("--port", type=int)
    given, options = parser.parse_known_args(arguments)
    try:
        python = prepared()
        port = port_for(given)
        homes = given.homes.resolve()
        state = homes / ".hub"
        state.mkdir(parents=True, exist_ok=True)
        os.chmod(str(state), 0o700)
        how = key(state, options)
    except Failure as failure:
        sys.exit(f"\nerror: {failure}")
    print(said(given, port, homes, how, options), flush=True)
    os.chdir(str(state))
    command = [python, "-m", "jupyterhub", "-f", str(CONFIG)]
    os.execv(python, command + traits(given, port, homes) + options)


def prepared():
    """Have what a hub needs; return the Python that has it."""
    if os.name == "nt":
        raise Failure(
            "JupyterHub needs Linux or macOS. On Windows, run this in WSL, or the hub "
            "on another machine:\nthe learners need no more than a browser."
        )
    here = has_the_book() and importlib.util.find_spec("jupyterhub") is not None
    python = sys.executable if here else install(["lab", "class"])
    if not PROXY.is_dir():
        install_npm()
    return python


def traits(given, port, homes):
    """Return JupyterHub's own options for what was asked; its inner ports are free."""
    hub, api = free_ports(2)
    return [
        f"--JupyterHub.bind_url=http://{given.ip or '*'}:{port}",
        f"--JupyterHub.hub_port={hub}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{api}",
        f"--SimpleLocalProcessSpawner.home_dir_template={homes}/{{username}}",
    ] + ["--Spawner.args=--without-solutions"] * given.without_solutions


def password(state):
    """Return the password of this class: made once, and readable by its owner alone."""
    path = state / "password"
    if not path.exists():
        made = "".join(secrets.choice(LETTERS) for _ in range(10))
        path.touch(mode=0o600)
        path.write_text(made + "\n")
    found = path.read_text().strip()
    if len(found) < SHORTEST:
        raise Failure(
            f"The password in {path} has {len(found)} characters; a hub wants "
            f"{SHORTEST} or more.\nWrite a longer one, or delete the file: one is made."
        )
    return found


def key(state, options):
    """Return what lets a learner in, in words."""
    made = password(state)  # the configuration wants one, used or not
    if any("authenticator_class" in option for option in options):
        return "Learners come in as your authenticator says."
    return f"A learner chooses a name; the password is\n    {made}"


def said(given, port, homes, key, options=()):
    safe = any("ssl_cert" in option for option in options)
    place = f"http{'s' * safe}://{given.ip or socket.gethostname()}:{port}"
    end = f"Their copies are in {homes}. Ctrl-C here ends the class.\n"
    return f"The class is at\n    {place}\n{key}\n{end}"


def port_for(given):
    """Return the port that was asked for, or the first free one from 8000 on."""
    ports = [given.port] if given.port else range(8000, 8100)
    free = next((port for port in ports if is_free(given.ip, port)), None)
    if free is None:
        raise Failure(
            f"Port {ports[0]} is taken. Name another, or none, and a free one is "
            "found: make class"
        )
    return free


def is_free(ip, port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ip, port))
        except OSError:
            return False
    return True


def free_ports(count):
    """Return ports that are free and differ: each is held until all are known."""
    with ExitStack() as held:
        opened = [held.enter_context(socket.socket()) for _ in range(count)]
        for listener in opened:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in opened]


if __name__ == "__main__":
    main(sys.argv[1:])
