"""The API reference: a page for each module of the package, from its docstrings.

The pages are written into ``book/api/generated`` before Sphinx reads. A class whose
fields are steps (see ``qkv.trace``) gets a table of them: name, axes, title, formula.
"""

import dataclasses
import re
from pathlib import Path

from docutils import nodes
from site_twins import write_if_changed
from sphinx.util import inspect as sphinx_inspect

# Private modules; the exercises' own, which hold their answers; the package itself.
HIDDEN = re.compile(r"\._|\.ch\d\d|^qkv$")
LISTED = re.compile(r"^__all__ = ", re.MULTILINE)
PUBLIC = re.compile(r"^(def|class) [^_]", re.MULTILINE)
PAGE = """\
{mark} `{module}`

```{{eval-rst}}
.. automodule:: {module}
   :members:{options}
```
"""


def subjects(root: Path) -> dict[str, list[str]]:
    """Each subject of the package, ``qkv.attention``, with the modules that it has."""
    found: dict[str, list[str]] = {}
    for name in modules(root):
        found.setdefault(".".join(name.split(".")[:2]), []).append(name)
    return found


def modules(root: Path) -> list[str]:
    """The public modules of the package, in the order of their names."""
    package = root / "src" / "qkv"
    found = [path for path in package.glob("**/*.py") if _has_section(package, path)]
    paths = [path.relative_to(package.parent).with_suffix("") for path in found]
    dotted = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    return sorted(name for name in dotted if not HIDDEN.search(name))


def _has_section(package: Path, path: Path) -> bool:
    """Whether a module is a subject, or has names that only its section describes."""
    subject = package / path.relative_to(package).parts[0]
    face = subject / "__init__.py"
    if path in (subject, face):
        return True
    behind = face.is_file() and _is_behind(face, path)
    return not (behind or _is_eclipsed(path) or _is_nameless(path))


def _is_behind(face: Path, path: Path) -> bool:
    """Whether the subject loads what readers import of a module, when it is asked.

    That stands on the subject's page, by the subject's names; the rest is for the
    package alone. A package inside may list names of its own: those have a section.
    """
    lists_names = path.name == "__init__.py" and LISTED.search(path.read_text("utf-8"))
    return "__getattr__" in face.read_text("utf-8") and not lists_names


def _is_nameless(path: Path) -> bool:
    """Whether a module has no public function or class: only sentences, say."""
    text = path.read_text("utf-8")
    return not (LISTED.search(text) or PUBLIC.search(text))


def _is_eclipsed(path: Path) -> bool:
    """Whether the package gives a module's name to a function, as in ``glob.glob``.

    What is in such a module stands on the package's page, by the package's names.
    """
    return path.stem in _exported(path.with_name("__init__.py"))


def _exported(package: Path) -> set[str]:
    """The names in ``__all__``."""
    listed = package.read_text(encoding="utf-8").partition("__all__")[2]
    return set(re.findall(r'"(\w+)"', listed))


def write_pages(app) -> None:
    folder = Path(app.srcdir, "api", "generated")
    root = Path(app.config.qkv_root)
    pages = subjects(root)
    for subject, names in pages.items():
        parts = [_part(root, subject, name) for name in names]
        write_if_changed(folder / f"{subject}.md", "\n".join(parts))
    for page in folder.glob("*.md"):
        if page.stem not in pages:
            page.unlink()


def _part(root: Path, subject: str, module: str) -> str:
    mark = "#" if module == subject else "##"
    above = _handed_on(root, subject, module)
    options = f"\n   :exclude-members: {', '.join(sorted(above))}" if above else ""
    return PAGE.format(mark=mark, module=module, options=options)


def _handed_on(root: Path, subject: str, module: str) -> set[str]:
    """What a module of a subject hands on to it: it is described there, once."""
    face = root.joinpath("src", *subject.split("."), "__init__.py")
    if subject == module or not face.is_file():
        return set()
    path = root.joinpath("src", *module.split("."))
    inner = path / "__init__.py"
    return _exported(face) & (_exported(inner) if inner.is_file() else _defined(path))


def _defined(path: Path) -> set[str]:
    """The public functions and classes that a module without a folder defines."""
    text = path.with_suffix(".py").read_text(encoding="utf-8")
    return set(re.findall(r"^(?:def|class) ([a-zA-Z]\w*)", text, re.MULTILINE))


def add_steps(app, what, name, obj, options, lines: list[str]) -> None:
    """Append the steps of a trace to its description."""
    if what != "class" or not dataclasses.is_dataclass(obj):
        return
    steps = [f for f in dataclasses.fields(obj) if "title" in f.metadata]
    if not steps:
        return
    lines += [
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :class: book-steps",
    ]
    lines += ["", *_row(["Step", "Axes", "What happens", "Formula"])]
    for each in steps:
        formula = each.metadata.get("formula", "")
        typeset = f":math:`{formula}`" if formula else ""
        axes = f"``{readable(each.type)}``"
        lines += _row([f"``{each.name}``", axes, each.metadata["title"], typeset])
    lines.append("")


def _row(cells: list[str]) -> list[str]:
    first, *others = cells
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


def readable(annotation) -> str:
    """``*batch query key`` for a tensor, the class name for anything else."""
    shape = getattr(annotation, "dim_str", None)
    return shape.strip() if shape else getattr(annotation, "__name__", str(annotation))


def shorten(app, what, name, obj, options, signature, returned):
    """Say ``Tensor`` and ``Float`` without the modules that they come from."""
    if what == "class" and (signature or "").startswith("(*args"):
        signature = _of_init(obj) or signature
    return _short(signature), _short(returned)


def _of_init(made: type) -> str:
    """What a widget is made from: traitlets hides it behind its ``__new__``."""
    init = made.__init__
    if not getattr(init, "__module__", "").startswith("qkv."):
        return ""
    found = sphinx_inspect.signature(init, bound_method=True)
    return sphinx_inspect.stringify_signature(
        found, show_return_annotation=False, unqualified_typehints=False
    )


def _short(text: str | None) -> str | None:
    if text is None:
        return None
    return re.sub(
        r"\b(jaxtyping|torch|typing|collections\.abc|pathlib)\.(?=[A-Z])", "", text
    )


def join_descriptions(app, doctree) -> None:
    """Read ``name : what it is`` as a term and its description, not as a type.

    numpydoc takes what stands behind the colon, on its line, for the type; in this
    package it is where the description begins, because the types are annotations.
    """
    if not app.env.docname.startswith("api/generated/"):
        return
    for item in list(doctree.findall(nodes.definition_list_item)):
        begun = [part for part in item if isinstance(part, nodes.classifier)]
        ends = [part for part in item if isinstance(part, nodes.definition)]
        if begun and ends:
            _join(begun, ends[0])


def _join(begun: list[nodes.Element], definition: nodes.Element) -> None:
    words = nodes.paragraph("", "", *(child for part in begun for child in part))
    if definition and isinstance(definition[0], nodes.paragraph):
        rest = definition.pop(0)
        words += [nodes.Text(" "), *rest.children]
    definition.insert(0, words)
    for part in begun:
        part.parent.remove(part)


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", add_steps, priority=900)
    app.connect("autodoc-process-signature", shorten)
    app.connect("doctree-read", join_descriptions)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
