"""Trained models where a page from disk finds those of the site."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path("book/_ext").resolve()))
from site_checkpoints import MOST as LARGEST
from site_checkpoints import bring_in, script

__all__ = ["LARGEST", "bring_in", "keep_checkpoints", "script"]


def keep_checkpoints(folder, **models):
    """Write models beside a page in the folder, each by its name on the site."""
    folder = folder / "checkpoints"
    folder.mkdir(exist_ok=True)
    for name, model in models.items():
        (folder / f"{name}.js").write_text(script(name, model.to_bytes()), "utf-8")
