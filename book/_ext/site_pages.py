"""What the site does to each page: a bar under a chapter's title, clean HTML, a 404.

``404.html`` is what a server shows for an address that leads nowhere. It may be shown
at any depth, so all of its own addresses are told from the site's root.
"""

import re

from site_chapters import is_chapter, solutions_of


def add_bar(app, pagename, templatename, context, doctree) -> None:
    """Under a chapter's title: what it costs, its notebook, its solutions."""
    if pagename not in app.qkv_pages or "body" not in context:
        return
    bar = f'<p class="book-bar">{" ".join(_links(app, pagename, context))}</p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{bar}", 1)


def _links(app, pagename: str, context) -> list[str]:
    inside = pagename.removeprefix("chapters/")
    file = context["pathto"](f"_static/notebooks/{inside}.ipynb", 1)
    links = [
        f'<a class="book-download" href="{file}" download>Download this notebook</a>'
    ]
    other, words = solutions_of(pagename), "Worked solutions"
    if not is_chapter(pagename):
        other, words = pagename.replace("/solutions/", "/"), "The chapter"
    if other in app.qkv_pages:
        links.append(f'<a href="{context["pathto"](other)}">{words}</a>')
    return links


def mend(app, pagename, templatename, context, doctree) -> None:
    """Write what Sphinx says in odd HTML so that a screen reader understands it."""
    body = context.get("body", "").replace("doc-biblioentry", "listitem")
    parameters = r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>'
    body = re.sub(parameters, _parameter_lines, body)
    context["body"] = re.sub(
        r"<table class=\"[^\"]*docutils.*?</table>", _roles, body, flags=re.S
    )


ROLES = {
    "table": "table",
    "thead": "rowgroup",
    "tbody": "rowgroup",
    "tr": "row",
    "th": "columnheader",
    "td": "cell",
}


def _roles(table: re.Match) -> str:
    """A table that says what its parts are, also where style makes blocks of them."""
    tags = rf"<({'|'.join(ROLES)})\b"
    return re.sub(tags, lambda tag: f'{tag[0]} role="{ROLES[tag[1]]}"', table[0])


def _parameter_lines(match: re.Match) -> str:
    """The parameters of a long signature: lines, not definitions without a term."""
    lines = match[1].replace("<dd>", "<span>").replace("</dd>", "</span>")
    return f'<span class="sig-lines">{lines}</span>'


CHART = re.compile(r'(<figure class="book-(?:figure|drawing)[^>]*>)<svg ')


def read_charts_once(app, pagename, templatename, context, doctree) -> None:
    """Hide a drawing from screen readers, which read its text alternative already."""
    if "body" in context:
        shown = r'\g<1><svg aria-hidden="true" '
        context["body"] = CHART.sub(shown, context["body"])


def pages_without_source(app):
    """The page for addresses that lead nowhere."""
    if app.builder.name != "html":
        return []
    return [("404", {"html_baseurl": app.config.html_baseurl}, "404.html")]


def setup(app):
    app.connect("html-page-context", add_bar, priority=400)
    app.connect("html-page-context", mend, priority=450)
    app.connect("html-page-context", read_charts_once, priority=451)
    app.connect("html-collect-pages", pages_without_source)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
