"""Tell browsers and screen readers which words of a page are Korean.

Done to the finished HTML, so that it holds for prose, code, figures and tables alike,
whoever wrote them. What widgets draw later says it itself.
"""

import re

HANGUL = "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7a3"
# Korean words with what stands between them: spaces, digits, punctuation.
KOREAN = re.compile(rf"[{HANGUL}](?:[^A-Za-z<>&\n]*[{HANGUL}])?")
PARTS = re.compile(
    r"(<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>)", re.S
)
TAG = re.compile(r"<(/?)([\w-]+)")
EMPTY = {"br", "hr", "img", "input", "link", "meta", "wbr", "col", "source"}
PLAIN = {
    "title",
    "desc",
    "option",
    "textarea",
}  # hold text alone: they say it themselves
DRAWN = {"text", "tspan"}  # in an SVG no span is drawn


def mark(page: str) -> str:
    """The same HTML, its Korean words in elements with ``lang="ko"``."""
    if not re.search(f"[{HANGUL}]", page):
        return page
    parts, open_tags = PARTS.split(page), []
    for place, part in enumerate(parts):
        if place % 2:
            _follow(part, place, open_tags)
        elif KOREAN.search(part) and not any(said for _, _, said in open_tags):
            _say(parts, place, open_tags[-1] if open_tags else ("", 0, False))
    return "".join(parts)


def _follow(tag: str, place: int, open_tags: list[tuple[str, int, bool]]) -> None:
    """Keep which elements are open, each with its place and whether it is Korean."""
    if tag.startswith("<!--") or not (found := TAG.match(tag)):
        return
    closes, name = found[1], found[2]
    if closes:
        while open_tags and open_tags.pop()[0] != name:
            pass
    elif name not in EMPTY | {"script", "style"} and not tag.endswith("/>"):
        open_tags.append((name, place, 'lang="ko"' in tag))


def _say(parts: list[str], place: int, parent: tuple[str, int, bool]) -> None:
    name, at, _ = parent
    if name in PLAIN:  # all of it is, or else nothing can be marked
        if not re.search("[A-Za-z]", parts[place]):
            parts[at] = f'{parts[at][:-1]} lang="ko">'
        return
    holder = "tspan" if name in DRAWN else "span"
    parts[place] = KOREAN.sub(
        lambda korean: f'<{holder} lang="ko">{korean[0]}</{holder}>', parts[place]
    )


def mark_page(app, pagename, templatename, context, doctree) -> None:
    for part in ("body", "toc"):
        if part in context:
            context[part] = mark(context[part])


def setup(app):
    app.connect("html-page-context", mark_page, priority=460)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
