"""Put the package's trained models where the site's widgets can load them.

Each ``src/qkv/checkpoints/NAME.safetensors`` becomes ``_static/checkpoints/NAME.js``,
a script that hands the file to ``host.js``. It is in no page: a widget adds it when a
reader asks for the model, and that works from a disk too.
"""

import base64
import json
from pathlib import Path

from site_twins import write_if_changed
from sphinx.util import logging

logger = logging.getLogger(__name__)
MOST = 1_200_000  # bytes of a script


def script(name: str, content: bytes) -> str:
    """Return a file as a script that hands it to the host."""
    text = base64.b64encode(content).decode()
    return f'qkvHost.keep({json.dumps(name)},"{text}");\n'


def bring_in(app) -> None:
    """Write the script of every checkpoint; report one that is too large."""
    checkpoints = Path(app.config.qkv_root, "src", "qkv", "checkpoints")
    for path in sorted(checkpoints.glob("*.safetensors")):
        text = script(path.stem, path.read_bytes())
        if len(text) > MOST:
            logger.warning(
                "as a script it has %d bytes, and %d are the most",
                len(text),
                MOST,
                location=str(path),
            )
        where = Path(app.outdir, "_static", "checkpoints", f"{path.stem}.js")
        write_if_changed(where, text)


def setup(app):
    app.connect("builder-inited", bring_in)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
