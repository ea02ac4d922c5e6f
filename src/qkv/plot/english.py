"""What figures say, in English: whole sentences, with a name in each hole.

Another language is another module with the same names. A hole such as
``{rows:row|rows}`` is a number and what it counts, of which one, or of which more;
``{rows}`` is the number alone.
"""

HEAT_MAP = (
    "Heat map: {title}. {rows:row|rows} ({row_axis}) by "
    "{columns:column|columns} ({column_axis})"
)
HEAT_MAP_WITH_VALUES = (
    "Heat map: {title}. {rows:row|rows} ({row_axis}) by "
    "{columns:column|columns} ({column_axis}), values {low} to {high}"
)
PEAKS = "Largest in row {peaks}"
PEAKS_AND_MORE = "Largest in row {peaks}; and {left_out} more"
PEAK = "{rows}: {column} ({value})"
NO_PEAK = "{rows}: nowhere"
SPREAD = "A row is spread over {spread:column|columns}"
TRUTH = "The largest lies in the outlined truth in {right} of {rows} rows that have one"
MASKED = "{cells:cell|cells} masked (hatched)"
NOT_A_NUMBER = "{cells:cell|cells} not a number"
INFINITE = "{cells:cell|cells} +∞"
MINUS_INFINITE = "{cells:cell|cells} −∞"

LINE_CHART = "Line chart: {title}"
AXES = "{y} against {x} ({low} to {high})"
LINE = "{name}: from {first} at {start} to {last} at {end}"
LINE_WITH_TURNS = "{name}: from {first} at {start} to {last} at {end}, {turns}"
NO_LINE = "{name}: no finite value"
HIGHEST = "highest {value} at {place}"
LOWEST = "lowest {value} at {place}"
HALF_WAY = "half-way ({value}) near {place}"
MEETS = "meets {mark} near {place}"

BAR_CHART = "Bar chart: {title}"
BARS = "{quantity}: {bars}"
BAR = "{name} {value}"
BAR_WITH_NOTES = "{name} {value} ({notes})"
LARGEST = "largest"
SMALLEST = "smallest"

PICTURES = "Pictures: {title}"
NAMED = "They show {names}"
LOOKED_AT = "Looked at most: {places}"
MOST_AT = "{name} row {row}, column {column} ({value})"

MARKED = "Marked: {marks}"
MARK = "{name} {value}"
SHADED = "Shaded: {name}, {low} to {high}"
RANGE = "{low} to {high}"
NEXT, AND = "; ", ", "  # between the longer parts of a list, and the shorter
END, NO_END_AFTER = ".", "?!"
