"""All that ``check``, ``hint`` and ``progress`` say, as templates with named holes.

Each is whole, and none is made of pieces of another: an edition in another language has
a module like this one beside it.
"""

# What a line of the check begins with, and what follows from where an attempt failed.
LINE = "{mark} {id} {title}: {verdict}"
IN_THE_FIRST_CASE = "{fault}\n  (with {case}: {input})"
IN_A_LATER_CASE = "{fault}\n  (with {case}; before that it was right: {input})"
NAMED_AND_RAISED = "{says}\n  (with {case} it {raised})"
SHOW_INPUT = 'example("{id}") shows the input'
OF_ONE_RESULT = "{result}: {fault}"
OF_A_GRADIENT = (
    "the values are right, but the gradient that reaches {argument} is not: {fault} "
    "(the check takes the results 1, 2, 3, … times, and adds them up: that is its loss)"
)

# Right, or not begun.
RIGHT = "right, on {count} different inputs"
RIGHT_ON_ONE = "right, on one input"
ALSO = "  but {note}"
OVERWRITES = (
    "it overwrites what it was given: whoever calls it finds their tensor changed. "
    "Work on a copy"
)
CUTS_THE_GRADIENT = (
    "no gradient passes through it (detach, item, numpy or torch.tensor cut it off, "
    "and so does writing over a result, by /= or out=): nothing before it could be "
    "trained"
)
CALLS_IT = (
    "it calls {name}, the very function that was to be written: try it without, too"
)
NOT_ATTEMPTED = (
    "not attempted: {call} returns nothing yet "
    '(about {minutes} minutes; hint("{id}") helps)'
)
NOT_MENDED = (
    "not mended: its results are still those of the code as it was given, bug and all "
    '(about {minutes} minutes; hint("{id}") helps)'
)

# The call of the check itself.
NO_FUNCTION = 'the check needs the function itself, not {kind}: check("{id}", {name})'
NUMBER_MISSING = 'which exercise is it? Its number comes first: check("1.1", {name})'
EXCHANGED = 'the number of the exercise comes first: check("{id}", {name})'
NOT_IN_QUOTES = 'the number of an exercise stands in quotes: check("{id}", {name})'
BY_HAND = "{id} is worked out by hand: fill in the numbers in its widget"
HINT_NOT_IN_QUOTES = 'the number of an exercise stands in quotes: hint("{id}")'
FUNCTION_MISSING = 'the check needs your function, too: check("{id}", {name})'
YOUR_FUNCTION = "your_function"
UNKNOWN_EXERCISE = "there is no exercise {id!r}; progress() lists all there are"
UNKNOWN_IN_CHAPTER = (
    "there is no exercise {id!r}; chapter {chapter} has {ids}, and progress() lists "
    "those of the whole book"
)
UNKNOWN_BY_HAND = "there is no exercise {id!r} to work out by hand; there are {ids}"
UNKNOWN_CHAPTER = (
    "there are no exercises of a chapter {chapter!r}: progress(3) lists those of "
    "chapter 3, and progress() those of the whole book"
)

# What was raised.
RAISED = "raised {error}\n  the check calls {call}"
RAISED_IN_LINE = "raised {error}\n  in your line: {line}"
ERROR = "{type}: {said}"
SILENT_ERROR = "{type}"

# Another type.
A_TENSOR = "a tensor"
A_SEQUENCE = "a {type} of {length}"
A_VALUE = "a value of type {type}"
WANTED_RESULTS = "returned {kind}; wanted {count}: {results}"
WANTED_PLAIN = "returned a nested tensor; wanted a plain one"
WANTED_REAL = "returned a tensor of {dtype}; wanted real numbers"
WANTED_BOOLEAN = "returned a tensor of {dtype}; wanted True and False"
WANTED_WHOLE = "returned a tensor of {dtype}; wanted whole numbers"
WANTED_NUMBER = "returned {kind}; wanted one number"
WANTED_TENSOR = "returned {kind}; wanted a tensor of axes ({axes})"
WANTED_KIND = "returned {kind}; wanted {wanted}"

# Another shape.
WANTED_ITEMS = "returned {count} items; wanted {wanted}"
WANTED_NO_AXES = "returned a tensor of axes ({given}); wanted one number"
WANTED_AXES = "returned axes ({given}); wanted ({wanted})"
WANTED_ORDER = (
    "returned axes ({given}); wanted ({wanted}): the same axes in another order"
)

# Other values.
OFF = "{count} of {total} values are off, most at {place}: {value}, wanted {wanted}"
OTHER_VALUE = "returned {value}; wanted {wanted}"
OTHER_ITEM = "item {place} is {value}; wanted {wanted}"

OF_ANOTHER_DTYPE = "{fault}; it is a tensor of {dtype}"

# An input.
EXAMPLE = "{call} with {case}, wanted: {wanted}"
EXAMPLE_NOT_IN_QUOTES = 'the number of an exercise stands in quotes: example("{id}")'

# Hints.
HINT = "Hint {number} of {total} to {id}: {hint} ({left} more hints)"
LAST_HINT_BUT_ONE = "Hint {number} of {total} to {id}: {hint} (one more hint)"
LAST_HINT = (
    "Hint {number} of {total} to {id}: {hint} "
    "(no more hints; it is worked out in {place}, under {id})"
)

THE_SOLUTIONS = "the chapter's solutions"

# What is solved.
OF_A_CHAPTER = "Chapter {chapter}, {title}: {done} of {total} solved"
OF_AN_EXERCISE = "  {mark} {id}  {title} ({minutes} min, {stars})"
OF_ONE_BY_HAND = "  {mark} {id}  {title} ({minutes} min, {stars}, by hand)"
OF_PREDICTIONS = "  {mark} predictions answered: {count}"
TO_REVIEW = "To review, tried and not yet solved: {ids}"
CHAPTER_IN_TABLE = "{chapter} {title}"
DONE_IN_TABLE = "{done} of {total}"
MARKS = "{solved} solved, {tried} tried, {open} not begun"
OF_OTHER_CHAPTERS = (
    "In other chapters: {count} solved; progress() shows the whole book."
)
SESSION_ONLY = "(Remembered for this session only; `make lab` keeps it for good.)"
NOTE = "({note})"
UNREADABLE = "{file} cannot be read: {reason}"
SET_ASIDE = "{file} could not be understood; it is kept as {aside}"
NOT_UNDERSTOOD = "{file} could not be understood: {reason}"
UNWRITABLE = "{file} cannot be written: {reason}"
