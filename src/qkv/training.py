"""Training: one short loop, which can be watched, interrupted and resumed."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import isfinite, sqrt
from os import PathLike
from pathlib import Path
from types import FrameType
from typing import Any
from zipfile import ZipFile

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam, Optimizer
from tqdm import tqdm

from qkv._checks import settle, whole
from qkv._files import refuse_unwritable, write
from qkv._models import beside, in_mode
from qkv._processes import bare, gathered, mean, processes, rank, told, weighted
from qkv.data.kinds import (
    Asked,
    OfClasses,
    check_smoothing,
    nothing_asked,
    one_row_each,
)
from qkv.data.kinds import sequence_loss as sequence_loss

FORMAT = "qkv checkpoint 1"
SCHEDULES = ("constant", "linear", "inverse_sqrt")


@dataclass(frozen=True)
class FitSettings:
    """How to train: what stays the same from the first step to the last.

    ``learning_rate`` is Adam's, at its highest. ``clip_norm`` is the longest gradient
    let through: a longer one, over all parameters, is shortened to it. ``save_every``
    is the number of steps between two writings of the checkpoint. ``label_smoothing``
    is the share of each target that :func:`~qkv.data.sequence_loss` spreads over all
    tokens.

    For the first ``warmup`` steps the learning rate rises in a straight line. What then
    becomes of it is the ``schedule``: "constant", it stays; "linear", it falls in a
    straight line and is 0 after ``decay_over`` steps in all; "inverse_sqrt", it falls
    with the root of the steps. By default it is "linear" where ``decay_over`` is given,
    and "constant" where it is not.

    Raises
    ------
    ValueError
        If a setting is not positive (``warmup`` and ``label_smoothing`` may be 0), or
        if the schedule is unknown or does not go with the other settings.
    TypeError
        If a number of steps is not whole.

    Notes
    -----
    The schedule "inverse_sqrt" is Vaswani et al. (2017), section 5.3, label smoothing
    their section 5.4. They warm up for 4,000 steps, and smooth by 0.1.

    Examples
    --------
    >>> settings = FitSettings(0.5, schedule="inverse_sqrt", warmup=4)
    >>> [settings.rate(step) for step in (1, 2, 4, 16, 64)]
    [0.125, 0.25, 0.5, 0.25, 0.125]
    """

    learning_rate: float = 3e-3
    decay_over: int | None = None
    clip_norm: float = 1.0
    save_every: int = 100
    schedule: str | None = None
    warmup: int = 0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what would train nothing, or what contradicts itself."""
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name} must be positive, not {value}")
            settle(self, **{name: float(value)})
        settle(self, **whole(1, save_every=self.save_every))
        settle(self, **whole(0, warmup=self.warmup))
        if self.decay_over is not None:
            settle(self, **whole(1, decay_over=self.decay_over))
        check_smoothing(self.label_smoothing)
        settle(self, label_smoothing=float(self.label_smoothing))
        self._check_schedule()

    def _check_schedule(self) -> None:
        if self.schedule not in (None, *SCHEDULES):
            raise ValueError(
                f"schedule is {self.schedule!r}, but training knows "
                f"{', '.join(map(repr, SCHEDULES))}"
            )
        linear = self.shape == "linear"
        if linear != (self.decay_over is not None):
            raise ValueError(
                f"schedule is {self.schedule!r} and decay_over {self.decay_over}, but "
                "'linear' needs a decay_over and the others have none"
            )
        if self.decay_over is not None and self.warmup >= self.decay_over:
            raise ValueError(
                f"warmup is {self.warmup} and decay_over {self.decay_over}, but the "
                "rate has to rise before it falls; give a decay_over above warmup"
            )
        if self.shape == "inverse_sqrt" and self.warmup == 0:
            raise ValueError(
                "schedule 'inverse_sqrt' falls from the end of warmup, which is 0; "
                "give the number of steps to rise in"
            )

    @property
    def shape(self) -> str:
        """The schedule by its name, also where none was given."""
        falls = self.decay_over is not None
        return self.schedule or ("linear" if falls else "constant")

    def rate(self, step: int) -> float:
        r"""Return the learning rate of a step, the first being step 1.

        With the highest rate :math:`\eta` and :math:`w` steps of warm-up:

        .. math::
            \eta \, \frac{n}{w} &\quad n \le w \\
            \eta \sqrt{w / n} &\quad n > w \text{, inverse\_sqrt} \\
            \eta \left(1 - \frac{n - 1 - w}{decay\_over - w}\right)
            &\quad n > w \text{, linear}

        Notes
        -----
        Vaswani et al. (2017), equation 3, is "inverse_sqrt" with the learning rate
        :math:`(d_{\mathrm{model}} \, w)^{-1/2}`.
        """
        if step <= self.warmup:
            return self.learning_rate * (step / self.warmup)
        if self.shape == "inverse_sqrt":
            return self.learning_rate * sqrt(self.warmup / step)
        if self.decay_over is not None:  # "linear", which alone has one
            risen = self.warmup
            left = max(0.0, 1 - (step - 1 - risen) / (self.decay_over - risen))
            return self.learning_rate * left
        return self.learning_rate


DEFAULTS = FitSettings()


@dataclass
class History:
    """What happened in training.

    ``losses`` has one number a step; ``cpu_seconds`` is what all steps have cost, the
    watching left out; ``watched`` lists (step, CPU seconds so far, value).

    Examples
    --------
    >>> history = History([0.7, 0.6], 0.125, [(0, 0.0, 0.5), (2, 0.125, 0.75)])
    >>> history
    History(2 steps, 2 times watched)
    >>> [(step, value) for step, _, value in history.watched]
    [(0, 0.5), (2, 0.75)]
    """

    losses: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    watched: list[tuple[int, float, float]] = field(default_factory=list)

    def __repr__(self) -> str:
        """Say how many steps there were: nothing that differs between machines."""
        return f"History({len(self.losses)} steps, {len(self.watched)} times watched)"


def accuracy(model: nn.Module, questions: OfClasses) -> float:
    """Return the share of the targets that the model gives its largest logit to.

    A target of ``questions.ignored`` (0; −100 for :class:`~qkv.data.Images`) is not
    asked, and does not count. The model is used in evaluation mode, without gradients,
    and is left in the mode it was in.

    Raises
    ------
    ValueError
        If nothing is asked, or if there is not one row of logits for each target.

    Examples
    --------
    >>> from qkv.data import Reversal
    >>> perfect = nn.Module()
    >>> perfect.forward = lambda source: nn.functional.one_hot(source.flip(1)).float()
    >>> accuracy(perfect, Reversal().sample(7, seed=0))
    1.0
    """
    *inputs, target = _brought(model, questions)
    asked = target != questions.ignored
    if not asked.any():
        raise ValueError(nothing_asked(target, questions.ignored))
    with in_mode(model, training=False), torch.no_grad():
        logits = model(*inputs)
    one_row_each(logits, target)
    right = logits.argmax(-1) == target
    return right[asked].float().mean().item()


def update(
    model: nn.Module,
    batch: Asked,
    optimizer: Optimizer,
    *,
    clip_norm: float,
    label_smoothing: float = 0.0,
) -> float:
    r"""Take one step of training, and return the loss before it.

    .. math:: g = \nabla_\theta L, \qquad
              g \leftarrow g \cdot \min\!\left(1, \frac{clip\_norm}{\|g\|}\right)

    and the optimizer moves the parameters θ by what it makes of g. Where ``model`` is a
    ``DistributedDataParallel``, L is the mean over all targets of all processes'
    batches, and each of them returns it; what modules add of their own
    (:func:`fit`) is the mean of the processes'.

    Raises
    ------
    FloatingPointError
        If the loss or the gradient is NaN or infinite; the parameters are as before.
    ValueError
        If a target is none that the model scores, or nothing is asked
        (:func:`~qkv.data.sequence_loss`).

    Notes
    -----
    Shortening the gradient is Pascanu et al. (2013), section 3.2.

    Examples
    --------
    >>> from qkv.data import Images
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    >>> _ = nn.init.zeros_(model[1].weight)
    >>> batch = Images(torch.ones(1, 1, 1, 1), torch.tensor([1]))
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    >>> round(update(model, batch, optimizer, clip_norm=9.0), 4)
    0.6931
    >>> model[1].weight.tolist()
    [[-0.5], [0.5]]
    """
    *inputs, target = _brought(model, batch)
    output, auxiliary = _answered(model, inputs)
    smoothing = {"label_smoothing": label_smoothing} if label_smoothing else {}
    loss = weighted(
        model, batch.loss(output, target, **smoothing), _count(batch, target)
    )
    loss = sum(auxiliary, loss)
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(model.parameters(), clip_norm).item()
    value = mean(model, loss.detach()).item()
    if not (isfinite(value) and isfinite(norm)):
        raise FloatingPointError(
            f"the loss is {value:.4g} and its gradient {norm:.4g} long; try a "
            "smaller learning rate, and look for a row with nothing to attend to"
        )
    optimizer.step()
    return value


def _count(batch: object, target: Tensor) -> Tensor:
    """How many of the target's numbers the loss is a mean of."""
    if isinstance(batch, OfClasses):
        return (target != batch.ignored).sum()
    return torch.tensor(target.numel(), device=target.device)


def _brought(model: nn.Module, batch: object) -> tuple[Tensor, ...]:
    """Return the batch's inputs, and last its target, where the model is."""
    asked = _asked(batch)
    return beside(model, *asked.inputs, asked.target)


def _asked(batch: object) -> Asked:
    if not isinstance(batch, Asked):
        raise TypeError(
            f"a batch is of type {type(batch).__name__}, but has to say what its "
            "inputs, its target and its loss are; make Questions(x, y) of tokens and "
            "answers, Images(x, y) of pixels and classes, or a class of your own as "
            "qkv.data.Asked describes it"
        )
    return batch


def _answered(model: nn.Module, inputs: Iterable[Tensor]) -> tuple[Any, list[Tensor]]:
    """Return what the model answers, and what its modules add to the loss."""
    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
    hooks = [
        module.register_forward_hook(
            lambda called, given, named, _: calls.append((called, given, named)),
            with_kwargs=True,
        )
        for module in model.modules()
        if hasattr(type(module), "auxiliary_loss")
    ]
    try:
        output = model(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return output, [called.auxiliary_loss(*x, **named) for called, x, named in calls]


def fit(
    model: nn.Module,
    batches: Iterable[Asked],
    *,
    steps: int,
    watch: Callable[[nn.Module], float] | None = None,
    watch_every: int = 50,
    checkpoint: str | PathLike[str] | None = None,
    settings: FitSettings = DEFAULTS,
) -> History:
    """Train ``model`` with Adam, one batch a step, and return what happened.

    Parameters
    ----------
    model : called with the ``inputs`` of a batch: for :class:`~qkv.data.Questions`
        their ``source``, for :class:`~qkv.data.Images` their ``pixels``; for a
        :class:`~qkv.data.Batch` its ``source``, ``source_lengths`` and ``target_in``.
        A module anywhere in it may have a method ``auxiliary_loss``, such as experts
        that are to be balanced: given what the module itself was called with, it
        returns what is added to the loss. It may be a
        ``torch.nn.parallel.DistributedDataParallel``: several processes then train one
        model, each with a stream of its own, and each step is that of one process with
        all their batches in one.
    batches : a stream, from its beginning also where training is resumed, of anything
        that is :class:`~qkv.data.Asked`: it brings its own loss. The batches are
        brought to the model's device, a GPU or not.
    steps : how many steps to take in all, those before an interruption included.
    watch : measures the model before the first step, every ``watch_every`` steps and
        after the last. It sees the model in evaluation mode, and the random numbers
        it draws are not missed in training. Of several processes each watches, the
        model without its wrapper.
    checkpoint : a file that is written now and then, at the end, and when training is
        interrupted. Where it exists, training goes on from it, and on a CPU ends with
        the same bits as if it had never stopped. On a GPU it goes on from the same
        weights, but what dropout draws there is not kept, and sums may be taken in
        another order. Of several processes the first writes it, and as many are to go
        on from it; an interruption leaves it as it was last written.
    settings : the learning rate, its schedule, and what else does not change.

    Raises
    ------
    FloatingPointError
        If the loss or its gradient becomes NaN or infinite; the step is named.
    ValueError
        If the batches end early; or if the checkpoint is none, is cut short or damaged,
        or is of another model, other settings, other batches or more steps. It is left
        as it is. Or if a target is none that the model scores
        (:func:`~qkv.data.sequence_loss`).
    OSError
        If the checkpoint cannot be read, or not be written, which is tried before the
        first step; what was there is as it was.
    TypeError
        If ``batches`` is no stream, but a corpus, or one batch; or if a batch is not
        :class:`~qkv.data.Asked`, such as a pair (x, y).

    Notes
    -----
    Kingma and Ba (2015), algorithm 1, with their β₁ = 0.9 and β₂ = 0.999.

    Examples
    --------
    >>> from qkv.data import DictatedNumbers
    >>> from qkv.recurrent import Seq2Seq
    >>> _ = torch.manual_seed(0)
    >>> numbers = DictatedNumbers((1, 2))
    >>> model = Seq2Seq(len(numbers.source_vocab), len(numbers.target_vocab))
    >>> history = fit(model, numbers.batches(batch_size=8, seed=0), steps=5)
    >>> history, history.losses[0] > history.losses[-1]
    (History(5 steps, 0 times watched), True)
    >>> fit(model, numbers, steps=5)
    Traceback (most recent call last):
        ...
    TypeError: batches is of type DictatedNumbers, not a stream of batches; give its
    .batches(batch_size=32, seed=0)
    """
    whole(0, steps=steps)
    whole(1, watch_every=watch_every)
    optimizer = Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    stream, history = _stream(batches), History()
    run = _Run(checkpoint, model, optimizer, settings, history)
    run.resume(stream, steps)
    done = step = len(history.losses)
    with in_mode(model, training=True), _progress(model, done, steps) as bar:
        try:
            for step in range(done, steps):
                if step % watch_every == 0:
                    _observe(bare(model), watch, history)
                run.take_step(_next(stream, step, steps))
                if (step + 1) % settings.save_every == 0:
                    run.save()
                bar.update()
            _observe(bare(model), watch, history)
        except FloatingPointError as error:
            raise FloatingPointError(f"step {step + 1}: {error}") from None
        except KeyboardInterrupt:
            if processes(model) == 1:  # others may be at another step
                run.save()
            raise
    run.save()
    return history


def _stream(batches: Iterable[Asked]) -> Iterator[Asked]:
    kind = type(batches).__name__
    if isinstance(batches, Asked):
        raise TypeError(
            f"batches is one batch, of type {kind}, but training wants a stream of "
            "them; for the same one at each step give itertools.repeat(batch)"
        )
    if not isinstance(batches, Iterable):
        advice = ""
        if hasattr(batches, "batches"):
            advice = "; give its .batches(batch_size=32, seed=0)"
        raise TypeError(f"batches is of type {kind}, not a stream of batches{advice}")
    return iter(batches)


def _set_rate(optimizer: Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _observe(
    model: nn.Module, watch: Callable[[nn.Module], float] | None, history: History
) -> None:
    step = len(history.losses)
    already = bool(history.watched) and history.watched[-1][0] == step
    if watch is None or already:
        return
    with torch.random.fork_rng(devices=[]):
        model.eval()
        value = float(watch(model))
        model.train()
    history.watched.append((step, history.cpu_seconds, value))


def _next(stream: Iterator[Asked], step: int, steps: int) -> Asked:
    batch = next(stream, None)
    if batch is None:
        raise ValueError(
            f"the batches end after {step}, and {steps} steps need one each; "
            "give an endless stream, or fewer steps"
        )
    return _asked(batch)


@contextmanager
def _interruption_waits() -> Iterator[None]:
    """Let Ctrl-C, or Lab's stop button, take effect after the block, not within."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread alone
        return
    pressed: list[tuple[int, FrameType | None]] = []

    def wait(number: int, frame: FrameType | None) -> None:
        pressed.append((number, frame))

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed and callable(before):
        before(*pressed[0])


def _progress(model: nn.Module, done: int, steps: int) -> tqdm:
    hidden = _quiet() or rank(model) > 0
    return tqdm(total=steps, initial=done, unit="step", disable=hidden, file=sys.stdout)


def _quiet() -> bool:
    """Whether nobody is there to see a bar: a twin is being made, or a log written."""
    if os.environ.get("QKV_QUIET") == "1":
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return not sys.stdout.isatty()
    # who cannot be asked for input is a program that runs the notebook, not a person
    return not getattr(kernel, "_allow_stdin", True)


@dataclass
class _Run:
    """A training run, and the file it goes on from; without a path there is none."""

    path: str | PathLike[str] | None
    model: nn.Module
    optimizer: Optimizer
    settings: FitSettings
    history: History
    last: Asked | None = None

    def take_step(self, batch: Asked) -> None:
        """Take one step, whole or not at all."""
        with _interruption_waits():
            began = time.process_time()
            _set_rate(self.optimizer, self.settings.rate(len(self.history.losses) + 1))
            loss = update(
                self.model,
                batch,
                self.optimizer,
                clip_norm=self.settings.clip_norm,
                label_smoothing=self.settings.label_smoothing,
            )
            self.history.losses.append(loss)
            self.history.cpu_seconds += time.process_time() - began
            self.last = batch

    def save(self) -> None:
        """Write the file whole or not at all: an interruption leaves the old one."""
        if self.path is None or self.last is None:
            return
        own = {"random": torch.get_rng_state(), "last": _tensors(self.last)}
        first, *others = gathered(self.model, own)
        if rank(self.model) > 0:
            return
        content = io.BytesIO()
        torch.save(self._state() | first | {"others": others}, content)
        write(self.path, content.getbuffer())

    def resume(self, stream: Iterator[Asked], steps: int) -> None:
        """Put the run where the file says it was, passing over the batches it had."""
        saved = told(self.model, self._found)
        if saved is None:
            return
        self._refuse_another(saved, steps)
        own = [saved, *saved.get("others", ())][rank(self.model)]
        self._pass_over(stream, len(saved["losses"]), own["last"], steps)
        bare(self.model).load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(own["random"])
        self.history.losses += saved["losses"]
        self.history.cpu_seconds = saved["cpu_seconds"]
        self.history.watched += saved["watched"]

    def _found(self) -> dict[str, Any] | None:
        """Return what the file holds, where there is one."""
        if self.path is None:
            return None
        path = Path(self.path)
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {path.parent}")
        refuse_unwritable(path)
        return _load(path) if path.exists() else None

    def _state(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "model": bare(self.model).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "settings": _what_counts(self.settings),
            "losses": self.history.losses,
            "cpu_seconds": self.history.cpu_seconds,
            "watched": self.history.watched,
        }

    def _refuse_another(self, saved: dict[str, Any], steps: int) -> None:
        difference = _first_difference(saved["model"], bare(self.model).state_dict())
        if difference:
            self._refuse(f"is of another model: {difference}")
        before, now = 1 + len(saved.get("others", ())), processes(self.model)
        if before != now:
            self._refuse(f"was made by {_so_many(before)}, not by {_so_many(now)}")
        if saved["settings"] != _what_counts(self.settings):
            wanted = _what_counts(self.settings)
            self._refuse(f"was made with {saved['settings']}, not with {wanted}")
        if len(saved["losses"]) > steps:
            self._refuse(
                f"has {len(saved['losses'])} steps, more than the {steps} asked"
            )

    def _pass_over(
        self, stream: Iterator[Asked], count: int, before: list[Tensor], steps: int
    ) -> None:
        for step in range(count):
            self.last = _next(stream, step, steps)
        now = _tensors(self.last)
        if len(before) != len(now) or not all(map(torch.equal, before, now)):
            self._refuse(
                "was made with other batches; give the same stream from its beginning: "
                "the same seed and batch_size, and no batch taken from it yet"
            )

    def _refuse(self, why: str) -> None:
        raise ValueError(
            f"the checkpoint {self.path} {why}. It is left as it is: "
            "name another file, or delete this one to begin anew"
        )


def _so_many(processes: int) -> str:
    return "one process" if processes == 1 else f"{processes} processes"


def _tensors(batch: Asked | None) -> list[Tensor]:
    """All that a step reads of a batch, where there was one."""
    read = () if batch is None else (*batch.inputs, batch.target)
    return [tensor.cpu() for tensor in read]


def _what_counts(settings: FitSettings) -> dict[str, float | int | str | None]:
    """The settings that decide the result."""
    named = asdict(settings) | {"schedule": settings.shape}
    del named["save_every"]
    return named


def _load(path: Path) -> dict[str, Any]:
    """Return what the file holds; what cannot be read is said by who could not."""
    content = io.BytesIO(path.read_bytes())
    try:
        _check_whole(content)
        saved = torch.load(content, weights_only=True, map_location="cpu")
        if saved["format"] == FORMAT:
            return saved
    except MemoryError:
        raise
    except Exception as error:  # what a broken file raises is not documented
        if "alloc" in str(error):  # so torch says that there is no memory left
            raise MemoryError(f"{path}: {error}") from None
    raise ValueError(
        f"{path} is not a checkpoint of this book, or is cut short or damaged. It is "
        "left as it is: name another file, or delete this one to begin anew"
    )


def _check_whole(content: io.BytesIO) -> None:
    """Compare the checksums that torch writes, and does not look at.

    Raises
    ------
    ValueError
        If a part of the file has another.
    """
    with ZipFile(content) as parts:
        if damaged := parts.testzip():
            raise ValueError(f"{damaged} has another checksum")
    content.seek(0)


def _first_difference(
    saved: dict[str, Tensor], wanted: dict[str, Tensor]
) -> str | None:
    for name in sorted(saved.keys() | wanted.keys()):
        there, here = _kind(saved.get(name)), _kind(wanted.get(name))
        if there != here:
            return f"{name} is {there} there and {here} here"
    return None


def _kind(value: Tensor | None) -> str:
    if value is None:
        return "missing"
    dtype = str(value.dtype).removeprefix("torch.")
    return f"{dtype} {' × '.join(map(str, value.shape)) or 'number'}"
