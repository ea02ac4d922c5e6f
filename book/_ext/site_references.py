"""Lead a link to a paper to its entry on the references page.

Authors cite by a plain link to the paper, ``[Luong et al. (2015)](https://...)``, which
can be followed in JupyterLab and in a downloaded notebook as well. Here, where there is
a page of references, the same words lead to the entry of ``references.bib`` whose
``url`` the link has, without a network; the entry itself leads to the paper.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class ToTheEntry(SphinxPostTransform):
    """Turn links to papers inwards, but for those in the entries themselves."""

    default_priority = 800

    def run(self, **kwargs) -> None:
        entries = self._entries()
        for link in list(self.document.findall(nodes.reference)):
            inside = entries.get(link.get("refuri"))
            if inside and not _is_in_an_entry(link):
                link["refuri"], link["internal"] = inside, True

    def _entries(self) -> dict[str, str]:
        """Where each paper's entry is, by the paper's address."""
        docname = self.env.docname
        return {
            each.entry.fields["url"]: self.app.builder.get_relative_uri(
                docname, each.bibliography_key.docname
            )
            + f"#{each.citation_id}"
            for each in self.env.get_domain("cite").citations
            if "url" in each.entry.fields
        }


def _is_in_an_entry(link: nodes.Element) -> bool:
    above = link.parent
    while above is not None and not isinstance(above, nodes.citation):
        above = above.parent
    return above is not None


def stay_on_the_page(app, doctree, docname) -> None:
    """Mend links on paper, where Sphinx 9 writes ``#document-notation#axes``."""
    if app.builder.name != "singlehtml":
        return
    for link in doctree.findall(nodes.reference):
        first, _, place = link.get("refuri", "").rpartition("#")
        if first.startswith("#document-"):
            link["refuri"] = f"#{place}"


def setup(app):
    app.setup_extension("sphinxcontrib.bibtex")
    app.add_post_transform(ToTheEntry)
    app.connect("doctree-resolved", stay_on_the_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
