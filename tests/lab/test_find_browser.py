"""A browser is found, or had, or its absence is an error: never a skip."""

import os
import sys
from types import SimpleNamespace

import pytest

from tools import browser


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a machine without a browser, on which programs can be put."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(browser.CHOICE, raising=False)
    monkeypatch.setattr(browser, "APPLICATIONS", ())
    monkeypatch.setattr(browser, "_of_playwright", lambda: None)

    def put(name, script="exit 0"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return str(program)

    return SimpleNamespace(put=put)


@pytest.mark.parametrize("name", browser.NAMES)
def test_a_browser_on_the_path_is_found(machine, name):
    path = machine.put(name)
    assert browser.find() == path


def test_the_readers_choice_comes_first(machine, monkeypatch):
    machine.put("chromium")
    monkeypatch.setenv(browser.CHOICE, machine.put("mine"))
    assert browser.find().endswith("/mine")


def test_a_choice_that_is_no_program_is_an_error(machine, monkeypatch):
    machine.put("chromium")
    monkeypatch.setenv(browser.CHOICE, "/nowhere/chrome")
    with pytest.raises(browser.Missing, match="names /nowhere/chrome, which is not"):
        browser.find()


def test_no_browser_is_an_error_with_the_remedy(machine):
    with pytest.raises(browser.Missing, match=r"(?s)No browser.*apt-get install chro"):
        browser.find()


def test_root_on_debian_gets_debians_browser(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.put("fc-list", "echo Noto Sans CJK KR")
    chromium = tmp_path / "chromium"
    machine.put(
        "apt-get",
        f"[ $1 = update ] || {{ echo > {chromium}; /bin/chmod +x {chromium}; }}",
    )
    assert browser.ensure() == str(chromium)


def test_where_no_browser_can_be_had_each_attempt_is_named(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(browser, "_playwright_browser", lambda: "playwright (code 1)")
    machine.put("apt-get", "exit 100")
    with pytest.raises(browser.Missing) as told:
        browser.ensure()
    assert "tried: apt-get install chromium needs root" in str(told.value)
    assert "tried: playwright (code 1)" in str(told.value)


@pytest.mark.skipif(sys.platform != "linux", reason="others come with the fonts")
def test_a_machine_without_korean_letters_is_an_error(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.put("chromium")
    machine.put("apt-get")
    machine.put("fc-list")
    with pytest.raises(browser.Missing, match="No font with Korean letters"):
        browser.ensure()
