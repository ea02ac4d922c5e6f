"""Messages whose topic says how they are to be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv._checks import whole
from qkv.data.streams import Drawing, about

__all__ = ["Messages", "Topics"]

SUBJECT = 8  # the numbers of a token that say its topic


@dataclass(frozen=True, eq=False)
class Messages:
    """Messages as numbers, what each is to be read as, and its topic: a batch.

    A token is a message: first what it says, its content, then what tells its topic. A
    model answers with as many numbers for each as it has content; where it answers with
    more, as a layer from d_model to d_model does, the rest is not asked.

    Raises
    ------
    ValueError
        If there is not one row of answers, and one topic, for each message.

    Examples
    --------
    >>> messages = Messages(torch.zeros(5, 24), torch.ones(5, 16), torch.zeros(5).int())
    >>> messages.loss(torch.zeros(5, 24), messages.target)
    tensor(1.)
    """

    x: Float[Tensor, "token d_model"]
    target: Float[Tensor, "token content"]
    topic: Int[Tensor, " token"]

    def __post_init__(self) -> None:
        """Check that there are as many answers and topics as messages."""
        for name, rows in (("target", self.target), ("topic", self.topic)):
            if len(rows) != len(self.x):
                raise ValueError(
                    f"x has token {len(self.x)} and {name} has token {len(rows)}; give "
                    f"one row of {name} for each message"
                )

    @property
    def inputs(self) -> tuple[Float[Tensor, "token d_model"]]:
        """What a model is called with."""
        return (self.x,)

    def loss(
        self,
        output: Float[Tensor, "token d_model"],
        target: Float[Tensor, "token content"],
    ) -> Float[Tensor, ""]:
        """Return the mean squared error of the numbers that are asked.

        Raises
        ------
        ValueError
            If the model answers with fewer, or not for each message.
        """
        content = target.shape[-1]
        if output.shape[:-1] != target.shape[:-1] or output.shape[-1] < content:
            raise ValueError(
                f"the model answers with {tuple(output.shape)}, but the target is "
                f"{tuple(target.shape)}; answer each message with {content} numbers, "
                "or with more, of which the first count"
            )
        return (output[..., :content] - target).square().mean()

    def __len__(self) -> int:
        """How many messages there are."""
        return len(self.x)


class Topics(Drawing[Messages]):
    r"""Read each message as its topic wants it: a task for one interpreter a topic.

    .. math:: y = W_z c + 0.1\, \varepsilon

    The content c is 16 numbers from N(0, 1), and :math:`W_z` the rotation of the topic
    z. What tells the topic is 8 more numbers: twice the topic's unit vector, and noise
    of .3. Vectors of different topics are orthogonal. So the right routing is known,
    and it is linear: one expert for each topic.

    Parameters
    ----------
    topics : how many there are, up to 8.
    shares : how often each topic occurs, as parts of their sum; all alike if not given.
    seed : of the rotations and the topics' vectors, which are the task.

    Attributes
    ----------
    vectors : the unit vector of each topic.
    rotations : :math:`W_z` of each topic.
    shares : how often each topic occurs; they come to 1.
    floor : the mean squared error of who knows all of this: the noise's variance.
    d_model, content : the numbers of a message, and those of them that are content.

    Raises
    ------
    ValueError
        If ``topics`` is not 1 to 8, or there is not one positive share for each.
    TypeError
        If ``topics`` is not whole.

    Examples
    --------
    >>> task = Topics(4, shares=(0.7, 0.1, 0.1, 0.1))
    >>> messages = task.sample(5, seed=0)
    >>> messages.x.shape, messages.target.shape, messages.topic.tolist()
    (torch.Size([5, 24]), torch.Size([5, 16]), [3, 1, 0, 3, 0])
    """

    shares: Float[Tensor, " topic"]
    vectors: Float[Tensor, "topic subject"]
    rotations: Float[Tensor, "topic content content"]

    content = 16
    d_model = content + SUBJECT
    noise = 0.1
    floor = noise**2

    def __init__(
        self, topics: int = 4, *, shares: Sequence[float] | None = None, seed: int = 0
    ) -> None:
        whole(1, topics=topics)
        if topics > SUBJECT:
            raise ValueError(
                f"topics = {topics}, but {SUBJECT} numbers tell a topic, and so many "
                f"vectors at most are orthogonal; choose 1 to {SUBJECT}"
            )
        self.topics = topics
        self.shares = _shares(topics, shares)
        generator = torch.Generator().manual_seed(seed)
        self.vectors = _rotations(1, SUBJECT, generator)[0, :topics]
        self.rotations = _rotations(topics, self.content, generator)

    def _draw(self, count: int, generator: torch.Generator) -> Messages:
        def normal(width: int) -> Tensor:
            return torch.randn(count, width, generator=generator)

        topic = self.shares.multinomial(count, replacement=True, generator=generator)
        content = normal(self.content)
        subject = 2 * self.vectors[topic] + 0.3 * normal(SUBJECT)
        read = torch.einsum("tij,tj->ti", self.rotations[topic], content)
        target = read + self.noise * normal(self.content)
        return Messages(torch.cat([content, subject], -1), target, topic)

    def __repr__(self) -> str:
        """Say what is asked, and how often each topic occurs."""
        often = ", ".join(f"{share:.2f}" for share in self.shares.tolist())
        return f"{about(self)}; {self.topics} topics ({often})"


def _shares(topics: int, shares: Sequence[float] | None) -> Tensor:
    given = torch.tensor([1.0] * topics if shares is None else [*shares])
    if len(given) != topics or not (given > 0).all() or not given.isfinite().all():
        raise ValueError(
            f"shares is {shares}, but there are topics = {topics}; give a positive "
            "number for each"
        )
    return given / given.sum()


def _rotations(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Random orthogonal matrices, all equally likely."""
    q, r = torch.linalg.qr(torch.randn(count, size, size, generator=generator))
    # a sign for each column, or the decomposition's own choice would prefer some
    return q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None]
