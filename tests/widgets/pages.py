"""A page with widgets and the host, as the site has it but without the site."""

import base64
import html
import json
from html.parser import HTMLParser
from pathlib import Path

HOST = Path("book/_static/host.js")
AXE = "node_modules/axe-core/axe.min.js"
DROP = {"_esm", "_css", "_anywidget_id", "layout", "tabbable", "tooltip"}

# Markup that means harm, as a text: out of a script, out of an attribute in quotes of
# either kind, and out of an element. A script that innerHTML brings never runs; an
# image and an SVG show what would. Without a blank, which is drawn as ␣.
EVIL = (
    '</script>"\'onfocus=pwned(1)><img/src="x"/onerror=pwned(2)><svg/onload=pwned(3)>'
)
# What a page has made of a payload that it took for markup.
HARM = """() => [
    ...(window.ran ?? []).map((way) => `ran: ${way}`),
    ...[...document.querySelectorAll("main *")]
        .filter((e) => [...e.attributes].some((a) => a.name.includes("on") &&
            a.value.includes("pwned")) || e.matches("img[src=x], script:not([type])"))
        .map((e) => `in the page: ${e.outerHTML.slice(0, 200)}`),
]"""

# What fingers can't hit, and what eyes can't read.
TOO_SMALL = """(least) => [...document.querySelectorAll(
        ".qkv-w :is(button, input, select, label, [role=slider])")]
    .filter((e) => e.offsetParent && !e.closest("label:has(input, select)"))
    .filter((e) => e.offsetHeight < least || e.offsetWidth < least)
    .map((e) => e.outerHTML.slice(0, 80))"""
UNREADABLE = """[...document.querySelectorAll(".qkv-w *:not(msup *)")]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((e) => e.getClientRects().length)
    .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12)
    .map((e) => e.outerHTML.slice(0, 80))"""


class _Harm(HTMLParser):
    """Notes what :data:`EVIL` becomes where it is taken for markup."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        events = [name for name, _ in attributes if name.startswith("on")]
        if tag in ("script", "img") or events:
            self.found.append(self.get_starttag_text())


def harm(text):
    """Return the tags in an HTML text that a widget never writes itself."""
    reader = _Harm()
    reader.feed(text)
    reader.close()
    return reader.found


def barriers(page):
    """Return what axe finds: each rule that is broken, and what first breaks it."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run().then((result) => result.violations)")
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found]


def too_small(page, least=24):
    """Return what is to be pressed, and has not so many pixels down and across."""
    return page.evaluate(TOO_SMALL, least)


def unreadable(page):
    """Return what has a text of less than 12 pixels; exponents may be smaller."""
    return page.evaluate(UNREADABLE)


def chance(p):
    """Return a probability as widgets write it."""
    return "<0.01" if 0 < p < 0.005 else ">0.99" if 0.995 <= p < 1 else f"{p:.2f}"


def state_of(widget):
    """Return what a notebook stores of a widget as JSON, without what is binary."""
    state = widget.get_state()
    kept = {
        k: v
        for k, v in state.items()
        if k not in DROP
        and not k.startswith(("_view", "_model", "_dom"))
        and not isinstance(v, bytes)
    }
    return json.loads(json.dumps(kept))


def buffers_of(widget):
    binary = ((k, v) for k, v in widget.get_state().items() if isinstance(v, bytes))
    return [{"path": [k], "data": base64.b64encode(v).decode()} for k, v in binary]


def payload(widget, **changes):
    return {
        "module": type(widget).__name__,
        "model_id": widget.model_id,
        "state": state_of(widget) | changes,
        "buffers": buffers_of(widget),
        "css_id": "qkv",
    }


def slot(uid, data, fallback="<table><tr><td>fallback</td></tr></table>"):
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return (
        f'<div data-qkv-widget="{uid}"><div data-fallback>{fallback}</div></div>'
        f'<script type="application/vnd.qkv-widget+json" data-for="{uid}">'
        f"{text}</script>"
    )


def says_what_is_wrong(show, made, broken):
    """Hold that each broken state stands as a message beside widgets that are whole.

    ``broken`` has pairs of what is stored and words of the message. One page shows them
    all: each is drawn for itself, from its own state.
    """
    slots = [
        slot(f"broken{i}", stored | {"model_id": f"broken{i}"})
        for i, (stored, _) in enumerate(broken)
    ]
    page = show(*made, body="".join(slots))
    for i, (_, words) in enumerate(broken):
        text = page.locator(f"[data-qkv-widget=broken{i}]").inner_text()
        assert "This widget cannot be drawn" in text
        assert words in text


def script(text):
    safe = text.replace("</script", "<\\/script")
    return f"<script>{safe}</script>"


def definition(widget):
    return script(
        f"qkvHost.define({json.dumps(type(widget).__name__)},{json.dumps(widget._esm)})"
    )


def page_of(*widgets, theme="auto", body="", width="46em"):
    """Return a whole page; widgets get the ids w0, w1, …"""
    sheet = script(f"qkvHost.style('qkv',{json.dumps(widgets[0]._css)})")
    slots = "".join(
        slot(f"w{i}", payload(widget), widget.fallback())
        for i, widget in enumerate(widgets)
    )
    modules = {type(widget).__name__: definition(widget) for widget in widgets}
    ground = "light-dark(#fff,#131416)"
    scheme = {"auto": "light dark"}.get(theme, theme)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape('Widgets')}</title><style>html{{color-scheme:{scheme}}}"
        f"body{{margin:0 auto;padding:8px;max-width:{width};background:{ground};"
        f"color:light-dark(#000,#eee);font:16px/1.5 sans-serif}}</style>"
        f"{script(HOST.read_text('utf-8'))}</head>"
        f'<body data-theme="{theme}"><main><h1>Widgets</h1>{slots}{body}</main>{sheet}'
        f"{''.join(modules.values())}</body></html>"
    )


# A kernel is played by a model that has a widget manager.
LIVE = """async (state) => {
    const url = URL.createObjectURL(
        new Blob([document.querySelector("script[data-esm]").textContent],
            {type: "text/javascript"}));
    const {default: widget} = await import(url);
    for (let i = 0; i < 3; i++) {
        const model = qkvHost.makeModel(state);
        model.widget_manager = {};
        window.model = model;
        const el = document.createElement("div");
        el.id = `live${i}`;
        document.querySelector("main").append(el);
        widget.render({model, el});
    }
}"""


def live(show, widget):
    """Draw a widget three times with a kernel, and return the page."""
    text = widget._esm.replace("</script", "<\\/script")
    page = show(widget, body=f'<script type="text/plain" data-esm>{text}</script>')
    page.evaluate(LIVE, payload(widget)["state"])
    return page
