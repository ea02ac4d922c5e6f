"""Sphinx configuration of the site of Attention, Step by Step."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "Attention, Step by Step"
author = "The authors of Attention, Step by Step"
copyright = "the authors: text and figures CC BY 4.0, code MIT"
language = "en"

extensions = [
    "site_twins",  # first: it brings in the chapters that the others read
    "site_elements",
    "site_folding",
    "site_claims",
    "site_covers",
    "site_exercises",
    "site_progress",
    "site_math",
    "site_checkpoints",
    "site_chapters",
    "site_home",
    "site_teaching",
    "site_glossary",
    "site_pages",
    "site_search",
    "site_korean",
    "site_download",
    "site_api",
    "site_references",
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_*", "**.ipynb_checkpoints"]
if tags.has("paper"):  # noqa: F821 -- Sphinx hands it in; tools/pdf.py sets it
    root_doc = "paper"
    exclude_patterns += ["index.md", "api*", "progress.md"]
else:
    exclude_patterns += ["paper.md"]
templates_path = ["_templates"]

# The site shows what the tests ran: nothing is executed here.
nb_execution_mode = "off"
myst_enable_extensions = [
    "amsmath",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Where the site will be found, such as https://example.org/attention. With it, a
# downloaded notebook can fetch the package by itself; without, its reader is asked.
html_baseurl = ""
# Where readers tell of mistakes, such as mailto:... or the address of a tracker. Where
# none is set, they are asked to tell those from whom they have the book.
book_feedback = ""

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_favicon = "_static/mark.svg"
html_math_renderer = "katex"
html_copy_source = False
html_use_index = False  # search finds every name and term, with what it is
html_show_sphinx = False
html_permalinks_icon = "#"
html_theme_options = {
    "light_logo": "mark.svg",
    "dark_logo": "mark.svg",
    "top_of_page_buttons": [],
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_exclude = ".linenos, .gp, .go"
copybutton_selector = ".cell_input pre, div.highlight-sh pre, div.highlight-python pre"

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_cite_id = "{key}"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
add_module_names = False
numpydoc_show_class_members = False
maximum_signature_line_length = 78
# Types of other projects have no page here to point to, nor have private ones of ours;
# all others must resolve.
nitpick_ignore_regex = [("py:.*", r"(?!qkv\.).*|qkv\..*\b_\w+")]
