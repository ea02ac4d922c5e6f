"""Print where JupyterLab is, where it does not do so itself.

An extension of JupyterLab's server, which tools/lab.py starts. JupyterLab prints its
address only with a token that it made up; a reader who has set a token or a password,
and opens no browser here, would be told nothing.
"""


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    if line := said(server):
        server.io_loop.add_callback(lambda: print(line, flush=True))


def said(server) -> str:
    """Return the line to print, if any; a token that the reader set stays unprinted."""
    provider = server.identity_provider
    if type(provider).__module__.startswith("jupyterhub."):  # it leads learners there
        return ""
    if provider.token and provider.token_generated:
        return ""
    key = "token" if provider.token else "password" if provider.auth_enabled else ""
    asks = f"\nIt asks for your {key}." * bool(key)
    return f"JupyterLab is at\n    {server.connection_url}lab{asks}"
