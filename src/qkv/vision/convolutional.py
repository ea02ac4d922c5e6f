"""A small convolutional network, to compare with."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from qkv._checks import axes_at_least, pixels_like, whole


class ConvolutionalNetwork(nn.Module):
    """Look for the same small patterns in all places, then for patterns of patterns.

    Two 3 × 3 convolutions, half the size by the largest of each 2 × 2, two more of
    twice the width, then the average over all places and a score for each class. Batch
    norm follows each convolution: without it the comparison would not be a fair one.
    That what is near belongs together, and means the same everywhere, is built in;
    attention has to learn it.

    Parameters
    ----------
    classes : how many there are to choose from.
    channels : 1 for grey, 3 for red, green and blue.
    width : how many patterns the first convolutions look for; with 32 it has about as
        many parameters as a :class:`VisionTransformer` of the default sizes.

    Raises
    ------
    ValueError
        If the images are smaller than 2 × 2, or have no axis for their channels.
    TypeError
        If pixels are of another kind of numbers than the weights.

    Notes
    -----
    LeCun et al. (1989) for the idea; the average in place of dense layers is Lin et
    al. (2014), section 3.2; batch norm is Ioffe and Szegedy (2015).

    Examples
    --------
    >>> import torch
    >>> model = ConvolutionalNetwork()
    >>> model(torch.rand(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    >>> sum(p.numel() for p in model.parameters())
    65834
    """

    def __init__(self, classes: int = 10, channels: int = 1, width: int = 32):
        """Make the convolutions and the layer that reads their average."""
        super().__init__()
        whole(1, classes=classes, channels=channels, width=width)
        self.convolutions = nn.Sequential(
            *convolution(channels, width),
            *convolution(width, width),
            nn.MaxPool2d(2),
            *convolution(width, 2 * width),
            *convolution(2 * width, 2 * width),
        )
        self.head = nn.Linear(2 * width, classes)

    def forward(
        self, images: Float[Tensor, "*batch channel height width"]
    ) -> Float[Tensor, "*batch classes"]:
        """Return the logits of the classes."""
        pixels_like(images, self.head.weight)
        axes_at_least("images", images, "*batch channel height width")
        *batch, _, height, width = images.shape
        if min(height, width) < 2:
            raise ValueError(
                f"the images have height = {height} and width = {width}; the network "
                "halves both, which must be at least 2"
            )
        places = self.convolutions(images.reshape(-1, *images.shape[-3:]))
        logits = self.head(places.mean((-2, -1)))
        return logits.reshape(*batch, self.head.out_features)


def convolution(
    channels: int, width: int, dilation: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d, nn.ReLU]:
    """Return a 3 × 3 convolution that keeps the size, its batch norm, and a ReLU."""
    looking = nn.Conv2d(
        channels, width, 3, padding=dilation, dilation=dilation, bias=False
    )
    return looking, nn.BatchNorm2d(width), nn.ReLU()


def convolutions(
    channels: int, widths: Sequence[int], *, norm: bool = True
) -> nn.Sequential:
    """Return one convolution for each width; all but the last halve the size.

    Without ``norm`` nothing stands where batch norm would: so a folded one
    (:func:`without_norms`) has the same names.
    """
    stages: list[nn.Module] = []
    for before, width in pairwise((channels, *widths)):
        looking, its_norm, relu = convolution(before, width)
        if not norm:
            looking, its_norm = nn.Conv2d(before, width, 3, padding=1), nn.Identity()
        stages += [looking, its_norm, relu, nn.MaxPool2d(2)]
    return nn.Sequential(*stages[:-1])


def three_widths(widths: Sequence[int]) -> tuple[int, int, int]:
    """Return the widths of three convolutions as Python's own numbers.

    Raises
    ------
    ValueError
        If there are not three, or one is below 1.
    TypeError
        If one is not whole.

    Examples
    --------
    >>> three_widths([8, 16])
    Traceback (most recent call last):
        ...
    ValueError: widths is [8, 16], but there are three convolutions; give the width of
    each, such as (8, 16, 64)
    """
    given = tuple(widths) if isinstance(widths, Iterable) else (widths,)
    if len(given) != 3:
        raise ValueError(
            f"widths is {widths}, but there are three convolutions; give the width of "
            "each, such as (8, 16, 64)"
        )
    names = "first width", "second width", "third width"
    first, second, third = whole(1, **dict(zip(names, given, strict=True))).values()
    return first, second, third


def without_norms(stages: nn.Sequential) -> nn.Sequential:
    r"""Return what does the same in evaluation mode, without batch norm.

    .. math:: \gamma \frac{w * x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta
              = \Big(\frac{\gamma w}{\sqrt{\sigma^2 + \varepsilon}}\Big) * x
              + \Big(\beta - \frac{\gamma \mu}{\sqrt{\sigma^2 + \varepsilon}}\Big)

    After training a batch norm only scales and shifts, as the convolution before it
    can: exactly the same, up to rounding.

    Examples
    --------
    >>> import torch
    >>> stages, images = convolutions(3, (4, 8)).eval(), torch.rand(5, 3, 12, 20)
    >>> same = without_norms(stages)
    >>> torch.allclose(same(images), stages(images), atol=1e-6)
    True
    >>> [name for name, _ in same.named_parameters()]
    ['0.weight', '0.bias', '4.weight', '4.bias']
    """
    same = deepcopy(stages).eval()
    for index, norm in enumerate(same):
        before = same[index - 1]
        if isinstance(norm, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            same[index - 1] = fused = fuse_conv_bn_eval(before, norm)
            # It was none of the convolution's, and is frozen; it was the norm's.
            fused.get_parameter("bias").requires_grad_(norm.bias.requires_grad)
            same[index] = nn.Identity()
    return same
