"""Find the twin: what is drawn is what is said of it, by sample and by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.data import Asked, Cells, Digits, FindTheTwin, Piece, Twins
from qkv.training import accuracy

few = settings(max_examples=10, deadline=None)
seeds = st.integers(0, 2**63 - 1)
DIGITS = Digits()
TASK = FindTheTwin()


def cut(twins: Twins, image: int, digit: int) -> torch.Tensor:
    row, column = twins.corners[image, digit].tolist()
    return twins.pixels[image, :, row : row + 8, column : column + 8]


def handwriting(images) -> set[bytes]:
    return {image.numpy().tobytes() for image in images.pixels.mul(16).round()}


@few
@given(seeds, st.booleans(), st.sampled_from([(3, 3), (4, 1), (5, 4), (10, 2)]))
def test_each_black_digit_has_one_twin_of_its_kind_in_another_hand(
    seed, held_out, sizes
):
    kinds, pairs = sizes
    twins = FindTheTwin(kinds, pairs=pairs).sample(7, seed=seed, held_out=held_out)
    assert twins.questions == pairs
    assert (twins.twins == torch.arange(pairs, 2 * pairs)).all()
    assert torch.equal(twins.kinds[:, :pairs], twins.kinds[:, pairs:])
    assert torch.equal(twins.answers, twins.colours[:, pairs:])
    assert int(twins.kinds.max()) < kinds
    for row in range(7):
        assert twins.kinds[row, :pairs].unique().numel() == pairs
        assert twins.answers[row].unique().numel() == pairs
        assert (twins.corners[row] // 9).unique(dim=0).shape[0] == 2 * pairs
        ink, its_twins = (cut(twins, row, digit).amin(0) for digit in (0, pairs))
        assert not torch.equal(ink < 1, its_twins < 1)


@few
@given(seeds, st.booleans())
def test_what_is_drawn_is_handwriting_of_its_side_in_its_colour(seed, held_out):
    twins = TASK.sample(3, seed=seed, held_out=held_out)
    side = handwriting(DIGITS.held_out if held_out else DIGITS.train)
    inks = 1 - torch.tensor([[0.85, 0.15, 0.15], [0.95, 0.80, 0.10], [0.1, 0.6, 0.3],
                             [0.15, 0.35, 0.85], [0, 0, 0]])  # fmt: skip
    for image in range(3):
        paper = torch.ones(3, 28, 28)
        for digit in range(6):
            ink = inks[twins.colours[image, digit]]
            strength = (1 - cut(twins, image, digit)) / ink[:, None, None]
            torch.testing.assert_close(strength[0], strength[1])
            assert strength[:1].mul(16).round().numpy().tobytes() in side
            row, column = twins.corners[image, digit].tolist()
            paper[:, row : row + 8, column : column + 8] = cut(twins, image, digit)
        assert torch.equal(paper, twins.pixels[image])


def test_the_cell_asked_holds_the_centre_and_the_box_covers_two_by_two():
    twins = TASK.sample(50, seed=3)
    for image in range(50):
        for question in range(3):
            row, column = (twins.corners[image, question] + 4).tolist()
            assert twins.cells[image, question].tolist() == [row // 4, column // 4]
            top, left = twins.corners[image, 3 + question].tolist()
            inside = [
                (r, c)
                for r in range(7)
                for c in range(7)
                if top <= 4 * r + 2 < top + 8 and left <= 4 * c + 2 < left + 8
            ]
            found = twins.covers()[image, question].nonzero().tolist()
            assert found == [list(place) for place in inside]
    assert twins.covers().float().mean().item() == pytest.approx(4 / 49)


def test_only_black_digits_are_asked_about():
    twins = TASK.sample(5, seed=0)
    assert isinstance(twins, Asked)
    assert (twins.target != -100).sum((1, 2)).tolist() == [3] * 5
    assert torch.equal(twins.at_asked(twins.target), twins.answers)
    right = torch.nn.functional.one_hot(twins.target.clamp(min=0), 4).float()
    model = torch.nn.Module()
    model.forward = lambda pixels: right
    assert accuracy(model, twins) == 1.0
    assert twins.loss(30 * right, twins.target).item() < 1e-6


def test_each_digit_is_named_at_its_own_cell():
    named = TASK.sample(5, seed=0)
    cells = named.naming()
    assert (cells.target >= 0).sum((1, 2)).tolist() == [6] * 5
    for image in range(5):
        for digit in range(6):
            row, column = ((named.corners[image, digit] + 4) // 4).tolist()
            said = int(cells.target[image, row, column])
            assert divmod(said, 5) == (
                named.kinds[image, digit],
                named.colours[image, digit] + 1,
            )


@pytest.mark.parametrize("another", [False, True])
def test_what_is_hidden_is_white_and_its_question_alone_is_asked(another):
    twins = TASK.sample(5, seed=1)
    hidden = twins.hiding(another=another)
    assert len(hidden) == 15
    for copy in range(15):
        image, question = divmod(copy, 3)
        digit = 3 + (question + another) % 3
        row, column = twins.corners[image, digit].tolist()
        paper = twins.pixels[image].clone()
        paper[:, row : row + 8, column : column + 8] = 1
        assert torch.equal(hidden.x[copy], paper)
        (asked,) = (hidden.target[copy] != -100).nonzero().tolist()
        assert asked == twins.cells[image, question].tolist()
        assert hidden.target[copy][*asked] == twins.answers[image, question]


def test_the_same_seed_draws_the_same_and_batches_are_of_training_handwriting():
    one, other = (TASK.sample(3, seed=5) for _ in range(2))
    assert torch.equal(one.pixels, other.pixels)
    assert not torch.equal(one.pixels, TASK.sample(3, seed=6).pixels)
    assert not torch.equal(one.pixels, TASK.sample(3, seed=5, held_out=True).pixels)
    batches = TASK.batches(batch_size=3, seed=5)
    assert torch.equal(next(batches).pixels, one.pixels)
    assert not torch.equal(next(batches).pixels, one.pixels)


def test_some_of_the_pictures_keep_all_that_is_said_of_them():
    twins = TASK.sample(5, seed=0)
    some = twins[torch.tensor([4, 0])]
    assert torch.equal(some.answers, twins.answers[[4, 0]])
    grids = torch.rand(5, 2, 7, 7)
    cells = twins.on(grids)[1:3]
    assert torch.equal(cells.x, grids[1:3])
    assert torch.equal(cells.target, twins.target[1:3])
    seen = torch.cat([b.x for b, _ in zip(twins.on(grids).batches(batch_size=2, seed=0),
                                          range(3), strict=False)])  # fmt: skip
    assert torch.equal(seen.sum((1, 2, 3)).sort()[0], grids.sum((1, 2, 3)).sort()[0])


# ---------------------------------------------------------------------------- by hand


def test_a_scene_is_drawn_as_it_is_told():
    pieces = [
        Piece(3, "red", (0, 2), writing=5, shift=(1, 0)),
        Piece(3, "black", (2, 1)),
        Piece(7, "black", (0, 0)),
    ]
    twins = TASK.scene(pieces)
    assert twins.corners.tolist() == [[[18, 9], [0, 0], [1, 18]]]
    assert twins.answers.tolist() == [[0, -100]]
    assert twins.twins.tolist() == [[2, -1]]
    assert not twins.covers()[0, 1].any()
    drawn = DIGITS.train.pixels[DIGITS.train.labels == 3][5, 0]
    torch.testing.assert_close(1 - cut(twins, 0, 2)[1], 0.85 * drawn)
    torch.testing.assert_close(
        1 - cut(TASK.scene(pieces, held_out=True), 0, 2)[1],
        0.85 * DIGITS.held_out.pixels[DIGITS.held_out.labels == 3][5, 0],
    )


def test_pieces_may_come_from_a_loop_and_in_any_numbers(as_readers_run_it):
    plain = [Piece(3, "black", (0, 1)), Piece(3, "red", (0, 2))]
    at = torch.tensor([[0, 1], [0, 2]])
    others = [
        Piece(torch.tensor(3), "black", [*at[0]]),
        Piece(3, "red", tuple(at[1].numpy()), writing=torch.tensor(0)),
    ]
    for pieces in ((piece for piece in plain), others):
        made = TASK.scene(pieces)
        assert torch.equal(made.pixels, TASK.scene(plain).pixels)
        assert made.answers.tolist() == [[0]]


def test_a_slot_that_is_no_pair_is_named(as_readers_run_it):
    with pytest.raises(TypeError, match=r"slot is 4, but is two numbers, \(row, col"):
        TASK.scene([Piece(3, "black", 4)])
    with pytest.raises(ValueError, match=r"slot is \(0, 0, 0\), but is two numbers"):
        TASK.scene([Piece(3, "black", (0, 0, 0))])
    with pytest.raises(TypeError, match=r"shift is 1, but is two numbers, \(down, ri"):
        TASK.scene([Piece(3, "black", (0, 0), shift=1)])


def test_a_digit_with_two_twins_has_no_answer():
    colours = zip(("black", "red", "blue"), range(3), strict=True)
    twins = TASK.scene([Piece(3, colour, (0, slot)) for colour, slot in colours])
    assert twins.answers.tolist() == [[-100]]


BLACK = Piece(3, "black", (0, 0))


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (
            [BLACK, Piece(4, "red", (0, 0))],
            r"slot \(0, 0\) has the black 3 and th",
        ),
        ([Piece(4, "red", (0, 0))], "no digit is black, so that nothing is asked"),
        ([], "no digit is black"),
        (
            [Piece(3, "pink", (0, 0))],
            "colour is 'pink', but the digits have 'black', ",
        ),
        (
            [Piece(10, "black", (0, 0))],
            "the digit is 10, but there are 10, counted",
        ),
        ([Piece(3, "black", (0, 3))], "the column of a slot is 3, but there are 3"),
        ([Piece(3, "black", (-1, 0))], r"slot is \(-1, 0\), but both must be at least"),
        (
            [Piece(3, "black", (0, 0), 133)],
            "writing of digit 3 is 133, but there are",
        ),
        (
            [Piece(3, "black", (0, 0), 0, (2, 0))],
            "the shift of the row is 2, but ther",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_remedy(pieces, said):
    with pytest.raises(ValueError, match=said):
        TASK.scene(pieces)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((2, 3), "kinds = 2, but 3 pairs need as many different kinds"),
        ((11, 3), "kinds = 11, but 3 pairs .* there are 10; choose 3 to 10"),
        ((10, 5), "pairs = 5, but the twins of a picture have different colours"),
    ],
)
def test_a_task_that_there_is_not_is_refused(sizes, said):
    kinds, pairs = sizes
    with pytest.raises(ValueError, match=said):
        FindTheTwin(kinds, pairs=pairs)


@pytest.mark.parametrize("one", [2, torch.tensor(2), torch.tensor(2).numpy()[()]])
def test_one_picture_is_no_batch(as_readers_run_it, one):
    twins = TASK.sample(3, seed=0)
    for batch in (twins, twins.naming(), DIGITS.train):
        with pytest.raises(TypeError, match=r"\[2\] is no batch; \[2 : 3\] is one"):
            batch[one]


def test_a_tuple_picks_pictures_as_a_list_does(as_readers_run_it):
    twins = TASK.sample(3, seed=0)
    assert torch.equal(twins[2, 0].pixels, twins[[2, 0]].pixels)
    assert torch.equal(twins.naming()[2, 0].x, twins[[2, 0]].pixels)
    assert torch.equal(DIGITS.train[2, 0].pixels, DIGITS.train[[2, 0]].pixels)


def test_rows_that_do_not_fit_are_named(as_readers_run_it):
    twins = TASK.sample(3, seed=0)
    with pytest.raises(ValueError, match="pixels has image 2 and corners has image 3"):
        Twins(twins.pixels[:2], twins.corners, twins.kinds, twins.colours)
    with pytest.raises(ValueError, match="the black digits do not come first"):
        Twins(twins.pixels, twins.corners, twins.kinds, twins.colours.flip(1))
    with pytest.raises(ValueError, match=r"row, column = \(3, 7, 5\), but the q"):
        twins.on(torch.rand(3, 2, 7, 5))
    with pytest.raises(ValueError, match="x has image 2 and target has image 3"):
        Cells(twins.pixels[:2], twins.target)
    with pytest.raises(ValueError, match="1 coloured digits another is to be hidden"):
        FindTheTwin(pairs=1).sample(3, seed=0).hiding(another=True)
