"""Sequences, images and series to ask about, each task with a known truth.

:class:`DictatedNumbers` reads digits in English and writes them in Korean;
:class:`KoreanDates` does the same with dates, whose alignment is known by field;
:func:`load_pairs` reads a file of your own. These are a :class:`Corpus`: two
vocabularies, examples, and an endless stream of batches that a seed decides.

:class:`AssociativeRecall`, :class:`FourNeighbours`, :class:`Reversal`,
:class:`TokenBack` and :class:`DateLanguage` need no text: they draw :class:`Questions`,
tokens and the true answers.

:class:`Digits` and :class:`FindTheDigit` draw :class:`Images`, and the class of each;
:func:`load_images` reads a folder of your own.

:class:`Scenes` draws coloured shapes, and says what is there in English or Korean:
:class:`Captions`, whose every word is known to speak of one object, or of none;
:class:`Slots` writes the same pages as tokens.

:class:`Seasons`, :class:`RandomWalk`, :func:`google` and :func:`co2` are a
:class:`Series` to forecast, cut into :class:`Windows`; :class:`Motifs` draws many short
ones. :func:`read_series` reads a file of your own.

A name is loaded when it is asked for, so that who works with numbers loads no images.
It is found where a module below lists it in ``__all__``: a new file is all that a new
task needs.
"""

from qkv._faces import face

# The names are read from the sources: a checker that runs nothing can't know them.
__getattr__, __dir__, __all__ = face(  # pyrefly: ignore[unresolvable-dunder-all]
    __name__, __file__
)
