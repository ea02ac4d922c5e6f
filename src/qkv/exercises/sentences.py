"""What is said of mistakes that can be made in the exercises of several chapters.

Those of one chapter alone stand in its ``shared`` module.
"""

BY_SENTENCES = (
    "the sum has been divided by the number of sentences, so that long ones look "
    "harder; divide by the number of real tokens"
)
NUMBER_FOR_SHARE = "this is the number of right rows; their share is wanted"
WEIGHTS_ALREADY = (
    "these are the weights already; the scores are wanted, before the softmax"
)
TRANSPOSED = (
    "the scores are transposed: rows belong to the queries, columns to the keys"
)
NOT_SCALED = (
    "the scores are not divided by √d_k: the longer the vectors, the larger the "
    "scores, until the softmax picks one key and hardly learns any more"
)
BY_D_HEAD = "the scores are divided by all of d_head; its root is wanted"
W_Q_AND_W_K_SWAPPED = (
    "W_q has made the keys and W_k the queries: each token is given what others ask "
    "of it, not what it asks. The scores are transposed"
)
OVER_QUERIES = (
    "the softmax runs over the queries: the columns sum to one, the rows do not. "
    "The keys compete for each query (dim=-1)"
)
OVER_THE_BATCH = (
    "the softmax runs over the sentences of the batch (dim=0); the keys of one "
    "sentence compete (dim=-1)"
)
MASK_ADDED = (
    "the mask has been added as 0 and 1: that moves the scores a little and hides "
    "nothing"
)
ONE_KEY_TOO_FEW = (
    "each sentence's last token is hidden: a sentence of 3 tokens has them at places "
    "0, 1 and 2"
)
NO_EXPONENTIAL = (
    "the scores have been divided by their sum. Softmax takes e to the power of each "
    "first: a score of 0 still gets a weight, since e⁰ is 1"
)
NOT_YET_DIVIDED = (
    "this is e to the power of the score; it is still to be divided by the sum of all "
    "of them, so that the weights sum to one"
)
BITS = "this is in bits (log2); nats are wanted, the natural logarithm"
CAUSAL_UNASKED = (
    "later tokens are hidden, as in a decoder; nothing here asks for a causal mask, "
    "and every query may look at every key"
)
ZERO_AS_HIDDEN = (
    "right until a score that may be seen is exactly 0: 0 has been taken for the sign "
    "of a hidden one. Let the mask say what is hidden, not the scores"
)
OVERFLOW = (
    "right for small scores, but exp(300) is infinite, and ∞ / ∞ is NaN: softmax "
    "subtracts the largest score first"
)
TWO_SOFTMAXES = (
    "there are two softmaxes: cross_entropy and log_softmax have theirs inside and "
    "want the bare logits"
)
KEYS_AVERAGED = "what is averaged was made by W_k: the keys. The values are made by W_v"
TANH_OF_EACH = (
    "tanh has been taken of W q and of U k, and then the sum: query and keys never "
    "meet inside it. First the sum, then tanh"
)
TANH_LAST = (
    "tanh comes after v: the scores are squeezed between −1 and 1, and query and keys "
    "never meet inside it"
)
PRODUCT_FOR_SUM = "W q and U k have been multiplied; the additive score adds them"
NO_V = "the hidden units have been added up; v says how much each counts"
NO_TANH = (
    "the tanh is missing: without it a query adds the same number to all its scores, "
    "and the softmax takes it away again"
)
U_TRANSPOSED = (
    "U has been used the wrong way round: with h in rows, U h is written h @ U.T. Its "
    "shape does not tell, since U is square"
)
PADDING_COUNTED = (
    "the padding has been counted like words: the loss of a sentence changes with the "
    "batch that it is in"
)
NO_SIGN = (
    "the sign is missing: a logarithm of a probability is negative, and the loss is "
    "its opposite"
)
