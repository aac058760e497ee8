"""Random networks of any cells: tensors and the keys of their layers. Standard library only."""
import math

# Row orders of the file: a letter for each gate.
GATES = {"lstm": "ifgo", "lstm coupled": "fgo", "lstm projected": "ifgo", "gru before": "rzn", "gru after": "rzn", "ligru": "zn", "rnn": "h"}
CELLS = list(GATES)
LINEAR = ["none", "relu"]


def normal(rng, shape, scale):
    return shape, [rng.gauss(0, scale) for _ in range(math.prod(shape))]


def recurrent(rng, k, cell, inputs, size, tensors):
    """(keys, elements it gives) of layer `k`; its tensors W<k>, R<k>, b<k> (and u<k>, the candidate's second bias; Wp<k>
    and bp<k>, of the projection) are added."""
    rows, gives = len(GATES[cell]) * size, size
    if cell == "lstm projected":
        gives = max(1, size - 2)
    tensors["W%d" % k] = normal(rng, (rows, inputs), 1 / math.sqrt(inputs))
    tensors["R%d" % k] = normal(rng, (rows, gives), 1 / math.sqrt(size))
    tensors["b%d" % k] = normal(rng, (rows,), 0.3)
    keys = {"cell": cell.split()[0], "gates": GATES[cell], "W": "W%d" % k, "R": "R%d" % k, "b": "b%d" % k}
    if cell.startswith("gru "):
        keys["reset"] = cell.split()[1]
        if cell == "gru after" and rng.random() < 0.5:
            tensors["u%d" % k] = normal(rng, (size,), 0.3)
            keys["b_R"] = "u%d" % k
    if cell == "lstm coupled":
        keys["coupled"] = True
    if cell == "lstm projected":
        tensors["Wp%d" % k], tensors["bp%d" % k] = normal(rng, (gives, size), 1 / math.sqrt(size)), normal(rng, (gives,), 0.3)
        keys["projection"] = {"W": "Wp%d" % k, "b": "bp%d" % k}
    return keys, gives


def linear(rng, k, inputs, size, tensors):
    tensors["W%d" % k] = normal(rng, (size, inputs), 1 / math.sqrt(inputs))
    tensors["b%d" % k] = normal(rng, (size,), 0.3)
    return {"cell": "linear", "W": "W%d" % k, "b": "b%d" % k, "activation": rng.choice(LINEAR)}


def optional(rng, k, size, options, tensors):
    """Keys of layer `k` for its options; peephole and initial say how large the values of their tensors are."""
    keys = dict(options)
    if "peephole" in options:
        keys["peephole"] = "P%d" % k
        tensors["P%d" % k] = normal(rng, (3, size), options["peephole"])
    if "initial" in options:
        keys["initial"] = {name: "%s%d" % (name, k) for name in options["initial"]}
        for name, scale in options["initial"].items():
            tensors["%s%d" % (name, k)] = (size,), [rng.uniform(-scale, scale) for _ in range(size)]
    return keys


def random_stack(rng, inputs, layers):
    """(tensors, keys of model.layers) of layers [(cell, neurons) or (cell, neurons, options)], the first with so many
    inputs."""
    tensors, keys = {}, []
    for k, (cell, size, *options) in enumerate(layers):
        if cell == "linear":
            keys.append(linear(rng, k, inputs, size, tensors))
            gives = size
        else:
            key, gives = recurrent(rng, k, cell, inputs, size, tensors)
            keys.append(key)
        if options:
            keys[-1].update(optional(rng, k, size, options[0], tensors))
        inputs = gives
    return tensors, keys
