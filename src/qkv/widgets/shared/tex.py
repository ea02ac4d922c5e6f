r"""Formulas of traces as MathML, which every browser draws itself.

Only what formulas in traces use is understood, and everything else is refused by name,
so that a formula is never shown half. Each character is escaped.
"""

import re
from html import escape

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)


def _pairs(text: str) -> dict[str, str]:
    """Return a table from command to sign."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_LETTERS = _pairs(
    """
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ iota ι
    kappa κ lambda λ mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ phi ϕ varphi φ chi χ psi ψ
    omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω ell ℓ
    infty ∞ partial ∂ nabla ∇ top ⊤ emptyset ∅
    """
)
_SIGNS = _pairs(
    """
    cdot ⋅ times × odot ⊙ otimes ⊗ oplus ⊕ circ ∘ in ∈ notin ∉ to → rightarrow →
    leftarrow ← mapsto ↦ le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ sim ∼
    propto ∝ mid ∣ lVert ‖ rVert ‖ Vert ‖ lvert | rvert | ldots … dots … cdots ⋯ pm ±
    mp ∓ ast ∗ star ⋆ forall ∀ exists ∃ subset ⊂ cup ∪ cap ∩ wedge ∧ vee ∨ colon :
    lbrace { rbrace }
    """
)
_BIG = {"sum": "∑", "prod": "∏", "int": "∫"}
_NAMES = {
    "arg",
    "exp",
    "log",
    "ln",
    "tanh",
    "sin",
    "cos",
    "max",
    "min",
    "argmax",
    "softmax",
}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "dot": "˙"}
_SPACES = {",": 0.17, ":": 0.22, ";": 0.28, " ": 0.25, "!": -0.17}
_SPACES |= {"quad": 1.0, "qquad": 2.0}
_BOARD: dict[str, str] = dict(zip("RNZCQE", "ℝℕℤℂℚ𝔼", strict=True))
_STOP = ("}", "", r"\right")


def mathml(tex: str) -> str:
    r"""Return a formula as MathML text.

    Raises
    ------
    ValueError
        If the formula uses a command that is not known here, or its braces don't match.

    Examples
    --------
    >>> mathml(r"c' = h_T")[:46]
    '<math display="block"><mrow><msup><mi>c</mi><m'
    >>> mathml(r"\color{red}")
    Traceback (most recent call last):
    ...
    ValueError: the formula '\\color{red}' uses '\\color', which widgets can't draw
    """
    reader = _Reader(tex)
    body = reader.row()
    if reader.peek():
        raise ValueError(f"the formula {tex!r} closes a brace that it never opened")
    return f'<math display="block">{body}</math>'


class _Reader:
    """A formula being read from left to right."""

    def __init__(self, tex: str):
        self.tex = tex
        self.tokens = [t for t in _TOKEN.findall(tex) if not t.isspace()]
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise ValueError(f"the formula {self.tex!r} ends too soon")
        self.at += 1
        return token

    def row(self) -> str:
        parts = []
        while self.peek() not in _STOP:
            parts.append(self.scripted())
        return f"<mrow>{''.join(parts)}</mrow>"

    def scripted(self) -> str:
        big = self.peek()[1:] in _BIG
        base, below, above = self.atom(), "", ""
        while self.peek() in ("_", "^", "'"):
            sign = self.take()
            if sign == "_":
                below = self.atom()
            else:
                above += "<mo>′</mo>" if sign == "'" else self.atom()
        kinds = (
            ("munder", "mover", "munderover") if big else ("msub", "msup", "msubsup")
        )
        if below and above:
            return _tag(kinds[2], base, below, f"<mrow>{above}</mrow>")
        if below:
            return _tag(kinds[0], base, below)
        return _tag(kinds[1], base, f"<mrow>{above}</mrow>") if above else base

    def atom(self) -> str:
        token = self.take()
        if token == "{":
            inside = self.row()
            if self.peek() != "}":
                raise ValueError(f"the formula {self.tex!r} leaves a brace open")
            self.take()
            return inside
        if token[0] == "\\":
            return self.command(token)
        if token[0].isdigit():
            return _tag("mn", token)
        if token.isalpha():
            return _tag("mi", token)
        return _sign("−" if token == "-" else token)

    def command(self, token: str) -> str:
        name = token[1:]
        if name in _LETTERS:
            return _tag("mi", _LETTERS[name])
        if name in _SIGNS or name in "{}|#%&_$":
            return _sign(_SIGNS.get(name, "‖" if name == "|" else name))
        if name in _BIG:
            return f'<mo movablelimits="false">{_BIG[name]}</mo>'
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}em"/>'
        if name in _NAMES:
            gap = "" if self.peek() in ("(", "_", "^", r"\left") else _GAP
            return f"<mi>{name}</mi>{gap}"
        return self.with_argument(token, name)

    def with_argument(self, token: str, name: str) -> str:
        if name == "frac":
            return _tag("mfrac", self.atom(), self.atom())
        if name == "sqrt":
            return _tag("msqrt", self.atom())
        if name in _ACCENTS:
            accent = f'<mo accent="true" stretchy="false">{_ACCENTS[name]}</mo>'
            return _tag("mover", self.atom(), accent)
        if name == "left":
            return self.fenced()
        if name in ("mathrm", "operatorname", "text", "mathbf", "mathbb", "mathcal"):
            return _styled(name, self.words())
        raise ValueError(
            f"the formula {self.tex!r} uses {token!r}, which widgets can't draw"
        )

    def fenced(self) -> str:
        first, inside = self.take(), self.row()
        if self.peek() != r"\right":
            raise ValueError(f"the formula {self.tex!r} has \\left without \\right")
        self.take()
        marks = [m.removeprefix("\\").removeprefix(".") for m in (first, self.take())]
        left, right = (
            f'<mo stretchy="true">{escape(m)}</mo>' if m else "" for m in marks
        )
        return f"<mrow>{left}{inside}{right}</mrow>"

    def words(self) -> str:
        """Return the plain text in braces, with the spaces that reading dropped."""
        if self.peek() != "{":
            return self.take()
        self.take()
        parts = []
        while self.peek() != "}":
            parts.append(self.take().removeprefix("\\"))
        self.take()
        return "".join(parts)


_GAP = '<mspace width="0.17em"/>'


def _tag(name: str, *parts: str) -> str:
    return f"<{name}>{''.join(parts)}</{name}>"


def _sign(text: str) -> str:
    stretch = ' stretchy="false"' if text in "()[]{}|‖∣" else ""
    return f"<mo{stretch}>{escape(text)}</mo>"


def _styled(name: str, words: str) -> str:
    if name == "mathbb":
        words = "".join(_BOARD.get(c, c) for c in words)
    if name == "mathbf":
        words = "".join(_bold(c) for c in words)
    if name == "text":
        return _tag("mtext", escape(words))
    return f'<mi mathvariant="normal">{escape(words)}</mi>'


def _bold(letter: str) -> str:
    """Return the bold mathematical letter that Unicode has for an ASCII one."""
    if "A" <= letter <= "Z":
        return chr(0x1D400 + ord(letter) - ord("A"))
    if "a" <= letter <= "z":
        return chr(0x1D41A + ord(letter) - ord("a"))
    return letter
