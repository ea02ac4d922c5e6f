"""Chapter 4's count, of the whole Transformer."""

from functools import partial

from qkv.checking.exercise import Exercise, Mistake


def count_transformer(
    d_model: int,
    d_ff: int,
    layers: int,
    heads: int,
    vocab: int,
    *,
    attentions: int = 3,
    networks: int = 2,
    norms: int = 5,
    last_norms: int = 2,
    tables: int = 1,
    biases: bool = True,
) -> int:
    attention = 4 * d_model * (d_model + biases)
    network = 2 * d_model * d_ff + biases * (d_ff + d_model)
    norm = 2 * d_model
    pair = attentions * attention + networks * network + norms * norm
    return layers * pair + last_norms * norm + tables * vocab * d_model


def _heads_each_whole(d_model, d_ff, layers, heads, vocab):
    more = (heads - 1) * 3 * layers * 4 * d_model * (d_model + 1)
    return count_transformer(d_model, d_ff, layers, heads, vocab) + more


def _norms_of_one_number(d_model, d_ff, layers, heads, vocab):
    count = count_transformer(d_model, d_ff, layers, heads, vocab)
    return count - (5 * layers + 2) * 2 * (d_model - 1)


def _one_bias_for_a_network(d_model, d_ff, layers, heads, vocab):
    count = count_transformer(d_model, d_ff, layers, heads, vocab)
    return count - 2 * layers * d_ff


EXERCISE = Exercise(
    id="7.9",
    title="Something older: count the whole Transformer",
    minutes=10,
    difficulty=2,
    reference=count_transformer,
    cases={
        "two layers, three heads": lambda: (15, 7, 2, 3, 13),
        "one layer, five heads": lambda: (35, 11, 1, 5, 3),
        "three layers, one head": lambda: (2, 5, 3, 1, 17),
        "the paper's base model": lambda: (512, 2048, 6, 8, 37000),
    },
    mistakes={
        "cross-attention forgotten": Mistake(
            "this has one attention in each layer of the decoder; there are two, "
            "self-attention and cross-attention",
            partial(count_transformer, attentions=2, norms=4),
        ),
        "no norm for cross-attention": Mistake(
            "the norm of the cross-attention is missing: each sub-layer has one, "
            "two in an encoder layer and three in a decoder layer",
            partial(count_transformer, norms=4),
        ),
        "no last norms": Mistake(
            "pre-norm leaves what the last layer adds without a norm, so encoder and "
            "decoder end with one more each; these are missing",
            partial(count_transformer, last_norms=0),
        ),
        "one last norm": Mistake(
            "the encoder and the decoder both end with a norm; this has one of the two",
            partial(count_transformer, last_norms=1),
        ),
        "no norms": Mistake(
            "the norms are not counted: each has a weight and a bias for every feature",
            partial(count_transformer, norms=0, last_norms=0),
        ),
        "norms of one number": Mistake(
            "each norm has been counted with two numbers; it has a weight and a bias "
            "for every feature, 2 d_model",
            _norms_of_one_number,
        ),
        "times the heads": Mistake(
            "each head has got whole projections of its own: the heads share d_model "
            "(exercise 4.4), and more of them cost nothing more",
            _heads_each_whole,
        ),
        "tables apart": Mistake(
            "the vocabulary has been counted once for each of source, target and "
            "output; here one table serves all three",
            partial(count_transformer, tables=3),
        ),
        "two tables": Mistake(
            "the vocabulary has been counted twice; one table serves for the source, "
            "the target and the output",
            partial(count_transformer, tables=2),
        ),
        "no table": Mistake(
            "the table of embeddings is missing: a row of d_model for every token",
            partial(count_transformer, tables=0),
        ),
        "no biases": Mistake(
            "the biases of attentions and networks are not counted: 4 d_model for an "
            "attention, d_ff + d_model for a network",
            partial(count_transformer, biases=False),
        ),
        "one bias for a network": Mistake(
            "b_1 is missing: the network's first matrix has a bias for each of its "
            "d_ff outputs",
            _one_bias_for_a_network,
        ),
        "one network for two": Mistake(
            "there is a network in each encoder layer and in each decoder layer; this "
            "counts one for both",
            partial(count_transformer, networks=1, norms=4),
        ),
        "an encoder alone": Mistake(
            "this is an encoder: one attention and one network for each layer. The "
            "decoder has as many layers again, with two attentions each",
            partial(count_transformer, attentions=1, networks=1, norms=2, last_norms=1),
        ),
    },
    hints=(
        "an attention has four projections with biases, 4 d² + 4 d (exercise 4.4). How "
        "many attentions stand in an encoder layer, and how many in a decoder layer?",
        "each sub-layer has a norm in front of it, with 2 d numbers; and one more "
        "stands at the end of the encoder and of the decoder.",
        "for one layer of each: 3 attentions, 2 networks, 5 norms. The rest does not "
        "depend on the number of layers.",
    ),
)
