"""Let readers take the book home: all of it as one zip, and its package as a wheel.

``_static/attention-step-by-step.zip`` has every file that the book is made from, and
runs where it is unpacked. ``_static/qkv-VERSION-py3-none-any.whl`` is what a notebook
that was downloaded alone installs, by its first cell. Both are the same bytes whenever
they are made of the same files.

Directives
----------
``{take-home}`` : links to both, with their sizes.
"""

import os
import stat
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from site_elements import raw
from sphinx.util.docutils import SphinxDirective

NAME = "attention-step-by-step"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first day that a zip can name
BUILD = "import sys; from setuptools.build_meta import build_wheel as b; b(sys.argv[1])"
OPENING = """\
# From "Attention, Step by Step". This notebook needs Python 3.11 to 3.14 and
# the book's package, qkv, which brings PyTorch: 6 GB on Linux, 1.5 elsewhere
# or where PyTorch's CPU build is there already. If qkv is missing, this cell
# installs it: from the wheel, if you put that beside this notebook, or else
# from SITE, the address of the book's site.
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

SITE = "{site}"
WHEEL = "{wheel}"

if not find_spec("qkv"):
    if not (SITE or Path(WHEEL).exists()):
        raise FileNotFoundError(
            f"Put {{WHEEL}} beside this notebook (the site's page 'How to read "
            "and run' has it), or write the site's address into SITE."
        )
    wheel = WHEEL if Path(WHEEL).exists() else f"{{SITE}}/_static/{{WHEEL}}"
    %pip install --quiet {{wheel}}
    invalidate_caches()
    print("Installed. Widgets are drawn once this page is loaded again.")
"""


# ----------------------------------------------------------------------- the whole book


def files(root: Path) -> list[Path]:
    """Return what the book is made from, in order: all but what .gitignore names."""
    lines = (root / ".gitignore").read_text("utf-8").splitlines()
    ignored = [line.rstrip("/") for line in lines if line and not line.startswith("#")]
    return sorted(_below(root, root, [*ignored, ".git"]))


def _below(folder: Path, root: Path, ignored: list[str]) -> Iterator[Path]:
    for path in folder.iterdir():
        names = path.name, path.relative_to(root).as_posix()
        left_out = any(fnmatch(name, each) for name in names for each in ignored)
        if left_out or path.is_symlink():  # a link may lead out of the book
            continue
        if path.is_dir():
            yield from _below(path, root, ignored)
        else:
            yield path


def zipped(root: Path) -> bytes:
    """Return the whole book as a zip of one folder."""
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for path in files(root):
            name = f"{NAME}/{path.relative_to(root).as_posix()}"
            entry = ZipInfo(name, LONG_AGO)
            entry.compress_type = ZIP_DEFLATED
            executable = path.stat().st_mode & stat.S_IXUSR
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(entry, path.read_bytes())
    return made.getvalue()


# -------------------------------------------------------------------------- the package


def wheel_name(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return f"{project['name']}-{project['version']}-py3-none-any.whl"


def wheel(book: bytes, name: str) -> bytes:
    """Return the wheel of the package in a zipped book, built where it disturbs none.

    What setuptools leaves beside the sources would be taken into the next wheel.
    It is always there: PyTorch needs it.

    Raises
    ------
    RuntimeError
        If setuptools cannot build it; its own words are in the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        ZipFile(BytesIO(book)).extractall(folder)
        done = subprocess.run(
            [sys.executable, "-c", BUILD, folder],
            cwd=Path(folder, NAME),
            env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"},  # LONG_AGO
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the package could not be built:\n{done.stderr}")
        return Path(folder, name).read_bytes()


def opening(root: Path, site: str) -> str:
    """Return the first cell of a notebook that is downloaded alone."""
    return OPENING.format(site=site.rstrip("/"), wheel=wheel_name(root)).rstrip()


# -------------------------------------------------------------------------- on the site


def bring_in(app) -> None:
    """Write both files, unless they are there already, made of the same."""
    if app.builder.name != "html":
        return
    root, static = Path(app.config.qkv_root), Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    book, packed, package = zipped(root), static / f"{NAME}.zip", wheel_name(root)
    same = packed.is_file() and packed.read_bytes() == book
    if not (same and (static / package).is_file()):
        (static / package).write_bytes(wheel(book, package))
        packed.write_bytes(book)


class TakeHome(SphinxDirective):
    """Links to the whole book and to its package."""

    def run(self):
        if self.env.app.builder.name != "html":
            return []
        self.env.note_reread()
        root, static = Path(self.config.qkv_root), Path(self.env.app.outdir, "_static")
        links = [
            (f"{NAME}.zip", "The whole book"),
            (wheel_name(root), "Its package alone"),
        ]
        shown = " ".join(self._link(static / name, words) for name, words in links)
        return [raw(f'<p class="book-take">{shown}</p>')]

    def _link(self, path: Path, words: str) -> str:
        up = "../" * self.env.docname.count("/")
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        href = f"{up}_static/{path.name}"
        return f'<a href="{href}" download>{words}</a> ({path.suffix[1:]}, {size})'


def setup(app):
    app.add_directive("take-home", TakeHome)
    app.connect("builder-inited", bring_in, priority=90)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
