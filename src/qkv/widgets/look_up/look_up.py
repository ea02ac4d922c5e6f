"""A board of handwritten digits, and what a convolutional network looks up there."""

from collections.abc import Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv._checks import one_of
from qkv.vision import receptive_field
from qkv.vision.look_up import folded
from qkv.widgets.shared.attending import look
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import listed
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.packed import packed
from qkv.widgets.shared.served import Served, rounded

__all__ = ["LookUp"]

HANDS = 3
"""How many drawings of each digit there are to choose from."""

SLOTS, PITCH, DIGIT, CELL, GRID = 3, 9, 8, 4, 7  # the front end's board.js has the same
MOST_GAMMA = 2.0
BLACK = "black"

_DECIMALS = 5  # of what is recorded; the front end shows two
_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "middle", "right")
_OPENING = (  # digit, hand, colour, slot: each twin is out of its digit's sight
    (3, 0, BLACK, (0, 0)),
    (3, 1, 3, (2, 1)),
    (7, 0, BLACK, (0, 2)),
    (7, 2, 0, (1, 0)),
    (5, 1, BLACK, (2, 0)),
    (5, 2, 2, (1, 2)),
)


class LookUp(Served):
    r"""A cell of a convolutional network asks, and a far cell has the answer.

    .. math:: y_i = x_i + \gamma\, W_o \sum_j
              \mathrm{softmax}_j\Big(\frac{q_i \cdot k_j}{\sqrt{d_k}}\Big) v_j

    On a board of 3 × 3 slots lie handwritten digits. A black one asks which colour its
    twin has: the same digit, in another hand. A reader moves, recolours, exchanges and
    removes digits, chooses the cell that asks, sees over the picture and in a table
    where it looks and what the network answers there, and turns γ from −2 to 2 times
    the trained one. A second view shows what the cell sees without attention. What is
    recorded is the present state; for all else the network runs in the browser, on
    weights that are loaded when they are needed, from the kernel, or on the site from
    ``_static/checkpoints/NAME.js``. They are not stored in the notebook.

    Parameters
    ----------
    model : a ``qkv.vision.LookUpNetwork``; recorded is what it does with weights
        rounded to float16, as a checkpoint keeps them and the browser is given them.
    task : the ``qkv.data.FindTheTwin`` that it has learnt. Its held-out handwriting is
        what lies on the board, three drawings of each digit.
    checkpoint : what the model is called on the site, such as ``"look_up"``. Without it
        the site has only what is recorded; JupyterLab has all.

    Raises
    ------
    ValueError
        If the model has not 3 channels and one answer for each colour of the task, the
        task has fewer than 8 kinds of digits, or the trait ``board``, ``cell`` or
        ``gamma`` is set to what cannot be shown.

    Notes
    -----
    The traits follow the reader: ``board`` is a list of digits, each a dict of
    ``digit``, ``hand``, ``colour`` and ``slot``, (row, column); ``cell`` is (row,
    column) of 7 × 7 cells; ``gamma`` counts in trained ones. All are counted from 0.

    Examples
    --------
    >>> from qkv.data import FindTheTwin
    >>> from qkv.vision import LookUpNetwork
    >>> view = LookUp(LookUpNetwork(), FindTheTwin())
    >>> view.cell, view.board[1]
    ([1, 1], {'digit': 3, 'hand': 1, 'colour': 'blue', 'slot': [2, 1]})
    >>> view.gamma = 0.0
    """

    _esm = module("look_up")
    _network: Any = None  # a widget that is made of its state alone has none
    drawings = traitlets.Dict().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    colours = traitlets.List().tag(sync=True)
    paints = traitlets.Dict().tag(sync=True)
    reach = traitlets.Int(0).tag(sync=True)
    trained = traitlets.Float(0.0).tag(sync=True)
    opening = traitlets.Dict().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)
    board = traitlets.List().tag(sync=True)
    cell = traitlets.List([1, 1]).tag(sync=True)
    gamma = traitlets.Float(1.0).tag(sync=True)
    mode = traitlets.Enum(["attention", "field"], "attention").tag(sync=True)

    def __init__(self, model: Any, task: Any, *, checkpoint: str | None = None):
        _fitting(model, task)
        self._network = rounded(folded(model))
        self._ink = _drawings(task)
        colours = [*task.colours]
        board = [
            _piece(digit, hand, colours[c] if isinstance(c, int) else c, slot)
            for digit, hand, c, slot in _OPENING
        ]
        paints = (1 - task.inks).tolist()
        layers = [(3, 1), (2, 2)] * len(model.config.widths)
        super().__init__(
            self._network,
            checkpoint or "",
            drawings=packed(self._ink)[0],
            names=[*task.names],
            colours=colours,
            paints={
                name: [round(x, 4) for x in paint]
                for name, paint in zip(
                    (BLACK, *colours), ([0.0] * 3, *paints), strict=True
                )
            },
            reach=(receptive_field(layers[:-1]) - CELL) // 2,
            trained=float(self._network.block.gamma.detach()),
            opening={"board": board, "cell": [1, 1]},
            board=board,
        )
        self._say()

    @traitlets.validate("board")
    def _can_lie(self, proposal: Any) -> list[dict[str, Any]]:
        kinds, hands, *_ = self.drawings["size"]
        return _checked(proposal["value"], kinds, hands, (BLACK, *self.colours))

    @traitlets.validate("cell")
    def _is_there(self, proposal: Any) -> list[int]:
        return _place("cell", proposal["value"], GRID)

    @traitlets.validate("gamma")
    def _not_too_far(self, proposal: Any) -> float:
        gamma = proposal["value"]
        if not -MOST_GAMMA <= gamma <= MOST_GAMMA:
            raise ValueError(
                f"gamma is {gamma}, but is to be from −{MOST_GAMMA:g} to "
                f"{MOST_GAMMA:g}: it counts in trained ones, and 1 is the trained one"
            )
        return gamma + 0.0  # −0 is 0

    @traitlets.observe("board", "cell", "gamma")
    def _say(self, _: Any = None) -> None:
        """Look once more, and say what is seen."""
        if self._network is None:
            return
        weights, probabilities = self._look()
        self.found = {
            "board": self.board,
            "cell": self.cell,
            "gamma": self.gamma,
            "weights": listed(weights.double().round(decimals=_DECIMALS)),
            "probabilities": listed(probabilities.double().round(decimals=_DECIMALS)),
        }
        self.alt = f"{self._lies()} {self._looks(weights)} {self._says(probabilities)}"

    def _look(self) -> tuple[Tensor, Tensor]:
        """Return where the cell looks, and the probabilities of what it answers."""
        row, column = self.cell
        with torch.no_grad():
            trace = self._network.trace(self._pixels())
            gate = self.gamma * self._network.block.gamma
            logits = self._network.head(trace.grid + gate * trace.block.said)
        weights = trace.block.looks[0, row, column].flatten()
        return weights, logits[0, row, column].softmax(-1)

    def _pixels(self) -> Tensor:
        """Return the picture of the board: ink takes from white all but its colour."""
        pixels = torch.ones(1, 3, SLOTS * PITCH + 1, SLOTS * PITCH + 1)
        for piece in self.board:
            top, left = (PITCH * at for at in piece["slot"])
            ink = self._ink[piece["digit"], piece["hand"]]
            taken = 1 - torch.tensor(self.paints[piece["colour"]])
            there = pixels[0, :, top : top + DIGIT, left : left + DIGIT]
            there -= taken[:, None, None] * ink
        return pixels

    def _lies(self) -> str:
        lie = ", ".join(self._called(piece) for piece in self.board) or "nothing"
        return f"On a board of {SLOTS} × {SLOTS} slots: {lie}."

    def _called(self, piece: dict[str, Any]) -> str:
        row, column = piece["slot"]
        where = (
            f"{_ROWS[row]} {_COLUMNS[column]}" if (row, column) != (1, 1) else "middle"
        )
        return f"{piece['colour']} {self.names[piece['digit']]} ({where})"

    def _asker(self) -> dict[str, Any] | None:
        """Return the black digit whose centre lies in the cell."""
        for piece in self.board:
            if piece["colour"] == BLACK and _cell_of(piece["slot"]) == self.cell:
                return piece
        return None

    def _twins(self) -> list[dict[str, Any]]:
        asker = self._asker()
        return [
            piece
            for piece in self.board
            if asker and piece["digit"] == asker["digit"] and piece["colour"] != BLACK
        ]

    def _looks(self, weights: Tensor) -> str:
        asker, best = self._asker(), int(weights.argmax())
        who = self._called(asker) if asker else _cell_name(self.cell)
        where = _cell_name(divmod(best, GRID))
        said = look(
            f"The cell of {who}" if asker else f"The cell in {who}",
            where,
            float(weights[best]),
        )
        twins = self._twins()
        if len(twins) != 1:
            return f"{said}."
        row, column = (2 * at for at in twins[0]["slot"])
        share = weights.view(GRID, GRID)[row : row + 2, column : column + 2].sum()
        return f"{said}; its twin, {self._called(twins[0])}, gets {share:.2f} in all."

    def _says(self, probabilities: Tensor) -> str:
        best = int(probabilities.argmax())
        gate = f"γ = {self.gamma:g} × {self.trained:.3f}".replace("-", "−")
        answer = f"{self.colours[best]} ({probabilities[best]:.2f})"
        said = f"With {gate} the network answers {answer}"
        truths = {piece["colour"] for piece in self._twins()}
        if not truths:
            return f"{said}; nothing is right there."
        return f"{said}, and is {'right' if self.colours[best] in truths else 'wrong'}."

    def fallback(self) -> str:
        """Return what is answered, and where the cell looks, as tables."""
        found = self.found
        answer = table([found["probabilities"]], [named("the answer")], self.colours)
        weights = found["weights"]
        where = table(
            [weights[GRID * row : GRID * (row + 1)] for row in range(GRID)],
            [named(f"row {row + 1}") for row in range(GRID)],
            [named(f"column {column + 1}") for column in range(GRID)],
        )
        return page(self.alt, answer, "<p>Where the cell looks</p>", where)


def _fitting(model: Any, task: Any) -> None:
    if model.config.classes != len(task.colours):
        raise ValueError(
            f"the model has {model.config.classes} answers, but the twins have "
            f"{len(task.colours)} colours; give a model with one answer for each"
        )
    if model.config.channels != 3:
        raise ValueError(
            f"the model has channels = {model.config.channels}, but the board has red, "
            "green and blue; give a model of 3 channels"
        )
    kinds = 1 + max(digit for digit, *_ in _OPENING)
    if len(task.names) < kinds:
        raise ValueError(
            f"the task has {len(task.names)} kinds of digits, but the board opens with "
            f"one of kind {kinds - 1}; give a task of {kinds} kinds or more"
        )


def _drawings(task: Any) -> Tensor:
    """Return the first held-out drawings of each digit, "digit hand row column"."""
    held = task.digits.held_out
    return torch.stack(
        [held.pixels[held.labels == k][:HANDS, 0] for k in range(len(task.names))]
    )


def _piece(digit: int, hand: int, colour: str, slot: Sequence[int]) -> dict[str, Any]:
    return {"digit": digit, "hand": hand, "colour": colour, "slot": [*slot]}


def _cell_of(slot: Sequence[int]) -> list[int]:
    """Return the cell that holds the centre of a digit in a slot."""
    return [(PITCH * at + DIGIT // 2) // CELL for at in slot]


def _cell_name(cell: Sequence[int]) -> str:
    return f"row {cell[0] + 1}, column {cell[1] + 1}"


def _place(name: str, given: Any, size: int) -> list[int]:
    """Return (row, column) as a list."""
    fits = isinstance(given, list | tuple) and len(given) == 2
    if not fits or not all(type(x) is int and 0 <= x < size for x in given):
        raise ValueError(
            f"{name} is {given!r}, but is to be (row, column), each a whole number of "
            f"0 to {size - 1}"
        )
    return [*given]


def _checked(
    board: list[Any], kinds: int, hands: int, colours: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the digits of a board, if they can lie there."""
    made: list[dict[str, Any]] = []
    for piece in board:
        if not isinstance(piece, dict) or piece.keys() != _piece(0, 0, "", ()).keys():
            raise ValueError(
                f"board has {piece!r}, but a digit of it is a dict of digit, hand, "
                "colour and slot"
            )
        one_of("colour", piece["colour"], colours, who="a LookUp has")
        _below("digit", piece["digit"], kinds)
        _below("hand", piece["hand"], hands)
        slot = _place("slot", piece["slot"], SLOTS)
        for other in made:
            if other["slot"] == slot:
                raise ValueError(
                    f"board has two digits in slot {tuple(slot)}: the "
                    f"{other['colour']} {other['digit']} and the {piece['colour']} "
                    f"{piece['digit']}; there is room for one, so move one to another"
                )
        made.append(piece | {"slot": slot})
    return made


def _below(name: str, given: Any, total: int) -> None:
    if type(given) is not int or not 0 <= given < total:
        raise ValueError(f"{name} is {given!r}, but is to be 0 to {total - 1}")
