"""Every text in every widget may be markup that means harm: it is drawn, and not run.

The widgets are found, and so are their texts: of each kind one that a chapter shows is
drawn again and again, each time with the payload in the place of another of the texts
in its state, or of all that are alike.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import qkv.widgets
from qkv.widgets.shared.base import Widget
from tests.browser import watched_page
from tests.widgets.pages import DROP, EVIL, HARM, harm, page_of, slot
from tests.widgets.test_front_end import ROOT

STATE = "application/vnd.jupyter.widget-state+json"
RECORD = "window.ran = []; window.pwned = (way) => ran.push(way)"
# Presses one control of each kind in each widget, and returns how many showed the text.
PRESS = """(text) => {
    const all = "button, summary, input[type=radio], input[type=checkbox]";
    const kind = (e) => [e.tagName, e.name, e.value, e.dataset.act,
        ...Object.keys(e.dataset)].join();
    const pressed = (widget) => {
        const tried = new Set();
        let shown = widget.textContent.includes(text);
        for (let i = 0; i < 20; i++) {
            const next = [...widget.querySelectorAll(all)]
                .find((e) => !tried.has(kind(e)));
            if (!next) break;
            tried.add(kind(next));
            next.click();
            shown ||= widget.textContent.includes(text);
        }
        return shown;
    };
    return [...document.querySelectorAll("[data-qkv-widget]")].filter(pressed).length;
}"""


@cache
def states() -> dict[str, dict[str, Any]]:
    """Return the state of each kind of widget in the chapters, that with most texts."""
    found: dict[str, list[dict[str, Any]]] = {}
    for twin in ROOT.glob("chapters/**/*.ipynb"):
        stored = json.loads(twin.read_text("utf-8"))["metadata"].get("widgets", {})
        for model in stored.get(STATE, {}).get("state", {}).values():
            if name := model["state"].get("_anywidget_id", "").rpartition(".")[2]:
                found.setdefault(name, []).append(own(model["state"]))
    return {name: max(several, key=richness) for name, several in found.items()}


def own(state: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in state.items() if k not in DROP and not k.startswith("_")}


def richness(state: dict[str, Any]) -> tuple[int, int]:
    return len(set(places(state))), -len(str(state))


def alike(value: Any) -> bool:
    """Whether what is in a list, or in a dict of dicts, is all of one kind."""
    if isinstance(value, dict):
        return all(isinstance(each, dict) for each in value.values())
    return isinstance(value, list)


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield where texts are; that there are several alike is said once, by a star."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        named = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in named:
            yield from places(each, (*path, "*" if alike(value) else key))


def changed(value: Any, path: tuple) -> Any:
    """Return a state with the payload in one place, or in all that a star means."""
    if not path:
        return EVIL if isinstance(value, str) else value
    first, *rest = path
    if isinstance(value, list):
        return [changed(each, tuple(rest)) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: changed(each, tuple(rest)) if first in (key, "*") else each
        for key, each in value.items()
    }


def has_texts(name: str) -> bool:
    """Whether a widget is given any: what it says of itself it computes anew."""
    return set(places(states()[name])) != {("alt",)}


def takes_texts(name: str) -> bool:
    """Whether any of them may be the payload: one of a few choices may not."""
    others = set(places(states()[name])) - {("alt",)}
    return any(plain(name, changed(states()[name], path)) for path in others)


def with_payloads(name: str) -> list[dict[str, Any]]:
    state = states()[name]
    return [changed(state, path) for path in dict.fromkeys(places(state))]


def made(name: str, state: dict[str, Any]) -> Widget:
    """Make a widget of its state alone, as a kernel that comes back does."""
    kind = getattr(qkv.widgets, name)
    widget = kind.__new__(kind)
    Widget.__init__(widget, **state)
    return widget


def plain(name: str, state: dict[str, Any]) -> str:
    """Return the plain HTML of a state, or none where that says nothing any more."""
    try:
        return made(name, state).fallback()
    except Exception:  # anything: a name of a step that there is not, …
        return ""


def page_with(name: str) -> str:
    """Return a page with a widget for each payload."""
    widget = made(name, states()[name])
    widget.fallback = str  # of an empty text: it may need more than the state
    slots = "".join(
        slot(f"p{i}", {"module": name, "css_id": "qkv", "model_id": f"m{i}"} | given)
        for i, given in enumerate(
            {"state": state, "buffers": []} for state in with_payloads(name)
        )
    )
    return page_of(widget, body=slots)


def test_every_widget_stands_in_a_chapter():
    assert set(qkv.widgets.__all__) <= set(states()), "or its texts are not tried here"


@pytest.mark.parametrize("name", sorted(states()))
def test_what_a_text_says_is_drawn_and_not_run(browser, tmp_path, name):
    path = tmp_path / "page.html"
    path.write_text(page_with(name), "utf-8")
    with watched_page(browser, viewport={"width": 1300, "height": 1000}) as page:
        page.add_init_script(RECORD)
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        assert page.evaluate(HARM) == []
        shown = page.evaluate(PRESS, EVIL)
        assert page.evaluate(HARM) == []
    assert shown or not has_texts(name), "no text of it was shown"


@pytest.mark.parametrize("name", sorted(states()))
def test_what_a_text_says_stands_in_the_plain_html(name):
    """Where it can be made of the state; else a widget's own tests see to it."""
    texts = [plain(name, state) for state in with_payloads(name)]
    assert [found for text in texts for found in harm(text)] == []
    if plain(name, states()[name]) and takes_texts(name):
        assert any("&lt;img/src=" in text for text in texts)
