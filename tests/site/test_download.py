"""The book taken home: one zip of all, the package as a wheel, and a first cell."""

import csv
import io
import json
import os
import re
import subprocess
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from site_download import NAME, files, opening, wheel_name, zipped

from tests.site.conftest import ROOT, tags

WHEEL = wheel_name(ROOT)
HERE = {name: sysconfig.get_path(name) for name in ("purelib", "platlib")}
RUN = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {cells!r}:
    shell.run_cell(cell).raise_error()
"""


@pytest.fixture
def book(site):
    return ZipFile(site.folder / "_static" / f"{NAME}.zip")


@pytest.fixture
def package(site):
    return ZipFile(site.folder / "_static" / WHEEL)


def test_the_zip_is_one_folder_of_all_that_git_has(book):
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.check_output(asked, cwd=ROOT, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here, or none of its folders")
    there = {name for name in listed.split("\0") if (ROOT / name).is_file()}
    assert set(book.namelist()) == {f"{NAME}/{name}" for name in there}
    command = book.getinfo(f"{NAME}/.ci/run")
    assert command.external_attr >> 16 == 0o100755


def test_in_an_unpacked_book_it_is_the_same_zip(book, tmp_path):
    book.extractall(tmp_path)
    folder = tmp_path / NAME
    for entry in book.infolist():  # unzip does so, zipfile does not
        os.chmod(tmp_path / entry.filename, entry.external_attr >> 16)
    for name in (".venv/bin/python", "build/site/index.html", "work/01_mine.ipynb"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    assert len(files(folder)) == len(book.namelist())
    assert zipped(folder) == Path(book.filename).read_bytes()


def test_the_wheel_has_the_package_with_its_models_and_widgets(package):
    inside = {name for name in package.namelist() if name.startswith("qkv/")}
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in files(ROOT)
        if path.is_relative_to(source)
        and (path.suffix == ".py" or path.parent.name in ("checkpoints", "static"))
    }
    assert wanted <= inside
    assert not any(".egg-info" in name for name in package.namelist())
    (record,) = (name for name in package.namelist() if name.endswith("/RECORD"))
    rows = csv.reader(io.StringIO(package.read(record).decode()))
    assert {row[0] for row in rows} == set(package.namelist())
    assert {entry.date_time[0] for entry in package.infolist()} == {1980}


def test_how_to_read_links_to_both(site):
    page = site.folder / "how_to_read.html"
    links = {a.get("href") for tag, a in tags(page) if tag == "a" and "download" in a}
    assert {f"_static/{NAME}.zip", f"_static/{WHEEL}"} <= links
    assert all((page.parent / link).is_file() for link in links)


@pytest.fixture
def bare(tmp_path):
    """Return a Python that has all that the package needs, but not the package."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=os.name != "nt")
    (packages,) = (tmp_path / "bare").glob("lib/python3.*/site-packages")
    # a folder named here is searched; what an editable installation left there is not
    packages.joinpath("others.pth").write_text("\n".join(set(HERE.values())), "utf-8")
    return tmp_path / "bare" / "bin" / "python"


def run_cells(python, folder, *cells):
    """Run cells as a notebook does, in a folder of their own; return what is said."""
    done = subprocess.run(
        [python, "-c", RUN.format(cells=cells)],
        cwd=folder,
        env={key: os.environ[key] for key in os.environ if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def first_cell(site, address):
    """Return the first cell of a download, of a site that is found at an address."""
    (name, *_) = (site.folder / "_static" / "notebooks").glob("03_*.ipynb")
    first = json.loads(name.read_bytes())["cells"][0]
    cell = opening(ROOT, "")
    assert "".join(first["source"]) == cell
    return opening(ROOT, address)


ASK = "import qkv; print('FOUND', qkv.__file__)"


def test_a_notebook_alone_gets_the_package_from_the_site(site, bare, tmp_path):
    said = run_cells(bare, tmp_path, first_cell(site, site.address + "/"), ASK)
    assert "Installed." in said
    assert re.search(r"FOUND .*bare.*qkv", said), said
    again = run_cells(bare, tmp_path, first_cell(site, "http://nowhere.invalid"), ASK)
    assert "Installed." not in again
    assert "FOUND" in again


def test_a_notebook_alone_takes_the_wheel_beside_it(site, bare, tmp_path):
    (tmp_path / WHEEL).write_bytes((site.folder / "_static" / WHEEL).read_bytes())
    said = run_cells(bare, tmp_path, first_cell(site, ""), ASK)
    assert re.search(r"FOUND .*bare.*qkv", said), said


def test_a_notebook_without_an_address_says_what_it_needs(site, bare, tmp_path):
    said = run_cells(bare, tmp_path, first_cell(site, ""), ASK)
    assert f"Put {WHEEL} beside this notebook" in said
    assert "FOUND" not in said


def test_the_first_cell_is_as_wide_as_a_chapters():
    assert max(map(len, opening(ROOT, "").splitlines())) <= 79
