#!/usr/bin/env python3
"""Writes models with Keras 3 and what Keras computes with them: NAME.keras, NAME.h5, and NAME.npz with x and y.

    make.py OUT             a folder, or an archive: fixtures.tar.xz beside this file is made so

y is what the layers up to the end of the core give, computed by Keras: (steps, outputs), or (1, outputs) of the last
step. `make frameworks` installs what this needs into build/frameworks; Keras runs on its numpy backend.
"""
import io, json, os, pathlib, sys, tarfile, tempfile

os.environ["KERAS_BACKEND"] = "numpy"
import h5py
import keras
import numpy as np

L = keras.layers
STEPS, INPUTS = 24, 3
out = pathlib.Path(tempfile.mkdtemp(prefix="lstmgen_keras."))


def randomise(model, seed=1):
    """Weights as after training: nothing is zero, variances are positive."""
    rng = np.random.default_rng(seed)
    for w in model.weights:
        v = rng.normal(0, 0.5, w.shape)
        w.assign(np.abs(v) + 0.3 if "variance" in w.path else v + (w.path.endswith("gamma")))


def save(name, model, core=None, head=None, kinds=("keras", "h5"), inputs=INPUTS):
    """core: the model whose output is the core's; head: the one that computes the core's input."""
    randomise(model)
    x = np.random.default_rng(2).normal(size=(1, STEPS, inputs)).astype("float32")
    core = core or model
    y = np.asarray(core.predict(x, verbose=0, batch_size=1), "float32")
    if head is not None:
        x = np.asarray(head.predict(x, verbose=0, batch_size=1), "float32")
    for kind in kinds:
        model.save(out / ("%s.%s" % (name, kind)))
    np.savez_compressed(out / (name + ".npz"), x=x[0], y=y[0] if y.ndim == 3 else y)


def sequential(name, *layers, upto=None, shape=(None, INPUTS), **more):
    """upto: so many layers are the core."""
    model = keras.Sequential([L.Input(shape, batch_size=more.pop("batch_size", None))] + list(layers), name="net")
    core = keras.Model(model.inputs, layers[upto - 1].output) if upto else None
    start = more.pop("start", None)
    save(name, model, core, keras.Model(model.inputs, layers[start - 1].output) if start else None, **more)


def lstm(units, **more):
    return L.LSTM(units, **{"return_sequences": True, **more})


def logits(units):
    """A Dense with an activation, and the same without: of one layer's weights."""
    return L.Dense(units, activation="softmax")


def simple():
    sequential("one", lstm(6))
    sequential("one_last", lstm(6, return_sequences=False))
    sequential("stack_dense_last", lstm(6), lstm(5, return_sequences=False), L.Dense(2))
    sequential("no_bias", lstm(6, use_bias=False), L.Dense(3, use_bias=False))
    sequential("no_forget_bias", lstm(6, unit_forget_bias=False))
    sequential("dense_relu", lstm(6), L.Dense(4, activation="relu"))
    sequential("relu_layer", lstm(6), L.Dense(4), L.ReLU())
    sequential("activation_layer", lstm(6), L.Dense(4), L.Activation("relu"))
    sequential("time_distributed", lstm(6), L.TimeDistributed(L.Dense(3)))
    sequential("dropped", L.GaussianNoise(0.1), lstm(6, dropout=0.2, recurrent_dropout=0.1), L.Dropout(0.5), lstm(6),
               L.SpatialDropout1D(0.1), L.ActivityRegularization(0.1), L.Dense(2, activation="linear"))
    sequential("unrolled", lstm(6, unroll=True), shape=(STEPS, INPUTS))
    sequential("cell_in_rnn", L.RNN(L.LSTMCell(6), return_sequences=True), L.Dense(2))
    sequential("masking", L.Masking(-99.0), lstm(6))
    sequential("stateful", lstm(6, stateful=True), batch_size=1)
    sequential("half", lstm(6, dtype="float16", recurrent_initializer="zeros"), L.Dense(2, dtype="float16"),
               kinds=("keras",))
    sequential("double", lstm(6, dtype="float64"), L.Dense(2, dtype="float64"), kinds=("h5",))
    sequential("deep", *[lstm(4) for _ in range(11)])


def norms():
    sequential("norm_first", L.BatchNormalization(), lstm(6))
    sequential("norm_between", lstm(6), L.BatchNormalization(epsilon=1e-2), lstm(5), L.Dense(2))
    sequential("norm_no_bias", lstm(6), L.BatchNormalization(), lstm(5, use_bias=False))
    sequential("norm_before_dense", lstm(6), L.BatchNormalization(scale=False), L.Dense(3))
    sequential("norm_after_dense", lstm(6), L.Dense(3, use_bias=False), L.BatchNormalization(center=False))
    sequential("norm_everywhere", L.BatchNormalization(center=False, scale=False), lstm(4), L.BatchNormalization(),
               L.BatchNormalization(), L.Dense(3), L.BatchNormalization())
    sequential("norm_last", lstm(6), L.BatchNormalization(), upto=1)
    sequential("norm_relu_norm", lstm(6), L.Dense(3, activation="relu"), L.BatchNormalization(), upto=2)


def graphs():
    x = L.Input((None, INPUTS), name="sound")
    h = L.Dropout(0.1)(lstm(6, name="lower")(x))
    y = L.Dense(2, name="answer")(L.LSTM(5, name="upper")(h))
    save("functional", keras.Model(x, y))
    x = L.Input((None, INPUTS))
    p = L.Dense(5, activation="relu")(x)
    save("dense_first", keras.Model(x, lstm(6)(p)), head=keras.Model(x, p))
    x = L.Input((None, INPUTS))
    p = L.Conv1D(4, 3, padding="same")(x)
    save("conv_first", keras.Model(x, lstm(6)(p)), head=keras.Model(x, p))
    x = L.Input((None, INPUTS))
    p = L.Concatenate()([x, L.Dense(2)(x)])
    save("concatenate_first", keras.Model(x, lstm(6)(p)), head=keras.Model(x, p))


def ends_early():
    for name, end in (("softmax", logits(3)), ("sigmoid_head", L.Dense(2, activation="sigmoid"))):
        model = keras.Sequential([L.Input((None, INPUTS)), lstm(6), end])
        bare = keras.Sequential([L.Input((None, INPUTS)), model.layers[0], L.Dense(end.units, name="bare")])
        randomise(model)
        bare.layers[-1].set_weights(end.get_weights())
        save(name, model, bare)         # randomises again, to the same values
        bare.layers[-1].set_weights(end.get_weights())
    sequential("two_dense", lstm(6, return_sequences=False), L.Dense(4, activation="relu"), L.Dense(2), upto=2)
    sequential("flatten", lstm(6), L.Flatten(), L.Dense(2), upto=1, shape=(STEPS, INPUTS))
    sequential("pooled", lstm(6), L.GlobalAveragePooling1D(), upto=1)


def cells():
    """What not every engine carries."""
    sequential("gru", L.GRU(6, return_sequences=True))
    sequential("gru_before", L.GRU(6, reset_after=False), L.Dense(2))
    sequential("gru_norm", L.BatchNormalization(), L.GRU(5, return_sequences=True), L.BatchNormalization(), L.GRU(4))
    sequential("gru_no_bias", L.GRU(6, use_bias=False, return_sequences=True))
    sequential("gru_cell", L.RNN(L.GRUCell(6, reset_after=False), return_sequences=True))
    sequential("gru_relu", L.GRU(6, activation="relu", recurrent_activation="sigmoid"))
    sequential("simple_rnn", L.SimpleRNN(6), L.Dense(2))
    sequential("simple_rnn_relu", L.SimpleRNN(4, activation="relu", return_sequences=True))
    sequential("relu_cell", lstm(6, activation="relu"))
    sequential("linear_cell", lstm(6, activation="linear", recurrent_activation="sigmoid"))
    sequential("gru_under_lstm", L.GRU(6, return_sequences=True), lstm(5), L.Dense(2))


def refused():
    sequential("bidirectional", L.Bidirectional(lstm(6)))
    sequential("hard_sigmoid", lstm(6, recurrent_activation="hard_sigmoid"))
    sequential("go_backwards", lstm(6, go_backwards=True))
    sequential("norm_of_layer", lstm(6), L.LayerNormalization(), lstm(5))
    sequential("dense_between", lstm(6), L.Dense(4), lstm(5))
    sequential("autoencoder", lstm(6, return_sequences=False), L.RepeatVector(STEPS), lstm(5))
    sequential("no_recurrent", L.Dense(3))
    x = L.Input((None, INPUTS))
    a, b = lstm(6, name="left")(x), lstm(6, name="right")(x)
    save("two_ways", keras.Model(x, L.Dense(2)(L.Concatenate()([a, b]))))
    x = L.Input((None, INPUTS))
    h = lstm(6)(x)
    save("residual", keras.Model(x, lstm(6)(L.Add()([h, L.Dense(6)(x)]))))
    x = L.Input((None, INPUTS))
    h, _, c = lstm(6, return_state=True, name="with_state")(x)
    save("state", keras.Model(x, L.Dense(2)(c)))
    x = L.Input((None, INPUTS))
    h = lstm(6)(x)
    model = keras.Model(x, [L.Dense(2, name="first")(h), L.Dense(3, name="second")(h)])
    for kind in ("keras", "h5"):
        model.save(out / ("two_heads." + kind))


# ---- files of Keras 2, as its hdf5_format.py wrote them; Keras 3 reads them and computes ----

def keras2(name, layers, weights, functional=False, fixed=True):
    """layers: [(class, config)]; weights: {layer: [(weight name, array)]}."""
    config = [{"class_name": c, "config": dict(o, trainable=True, dtype="float32")} for c, o in layers]
    config.insert(0, {"class_name": "InputLayer", "config": {"name": "input_1", "dtype": "float32", "sparse": False,
                                                             "batch_input_shape": [None, None, INPUTS]}})
    if functional:
        names = [c["config"]["name"] for c in config]
        for k, c in enumerate(config):
            c.update(name=names[k], inbound_nodes=[] if k == 0 else [[[names[k - 1], 0, 0, {}]]])
        whole = {"class_name": "Functional", "config": {
            "name": "model", "layers": config, "input_layers": [[names[0], 0, 0]],
            "output_layers": [[names[-1], 0, 0]]}}
    else:
        whole = {"class_name": "Sequential", "config": {"name": "sequential", "layers": config}}
    path = out / (name + ".h5")
    with h5py.File(path, "w") as f:
        text = json.dumps(whole)
        f.attrs["model_config"] = np.bytes_(text) if fixed else text
        f.attrs["keras_version"], f.attrs["backend"] = np.bytes_("2.4.0"), np.bytes_("tensorflow")
        g = f.create_group("model_weights")
        g.attrs["layer_names"] = np.array([o["name"].encode() for _, o in layers])
        for _, o in layers:
            sub = g.create_group(o["name"])
            sub.attrs["weight_names"] = np.array([n.encode() for n, _ in weights.get(o["name"], [])], dtype="S64")
            for n, v in weights.get(o["name"], []):
                sub.create_dataset(n, data=np.asarray(v, "float32"))
    return path


def draw(rng, *shape):
    return rng.normal(0, 0.5, shape).astype("float32")


def lstm_weights(rng, name, inputs, hidden, cell="lstm_cell/"):
    return [("%s/%skernel:0" % (name, cell), draw(rng, inputs, 4 * hidden)),
            ("%s/%srecurrent_kernel:0" % (name, cell), draw(rng, hidden, 4 * hidden)),
            ("%s/%sbias:0" % (name, cell), draw(rng, 4 * hidden))]


LSTM2 = {"units": 6, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True,
         "return_sequences": True, "go_backwards": False, "stateful": False, "unroll": False,
         "return_state": False, "dropout": 0.0, "recurrent_dropout": 0.0, "unit_forget_bias": True}


def computed(name, model):
    x = np.random.default_rng(3).normal(size=(1, STEPS, INPUTS)).astype("float32")
    y = np.asarray(model.predict(x, verbose=0), "float32")
    np.savez_compressed(out / (name + ".npz"), x=x[0], y=y[0] if y.ndim == 3 else y)


def older():
    rng = np.random.default_rng(5)
    dense = [("dense/kernel:0", draw(rng, 6, 2)), ("dense/bias:0", draw(rng, 2))]
    norm = [("batch_normalization/" + n, v) for n, v in (
        ("gamma:0", draw(rng, 6)), ("beta:0", draw(rng, 6)), ("moving_mean:0", draw(rng, 6)),
        ("moving_variance:0", np.abs(draw(rng, 6)) + 0.3))]
    layers = [("LSTM", dict(LSTM2, name="lstm")), ("BatchNormalization", {"name": "batch_normalization", "axis": [2]}),
              ("Dropout", {"name": "dropout", "rate": 0.5}), ("Dense", {"name": "dense", "units": 2})]
    for functional in (False, True):
        name = "keras2_functional" if functional else "keras2"
        path = keras2(name, layers, {"lstm": lstm_weights(rng, "lstm", INPUTS, 6), "batch_normalization": norm,
                                     "dense": dense}, functional, fixed=not functional)
        computed(name, keras.models.load_model(path, compile=False))
    # before Keras 2.2 there was no lstm_cell in the names; Keras 3 does not mind
    path = keras2("keras2_names", [layers[0], layers[3]], {"lstm": lstm_weights(rng, "lstm", INPUTS, 6, ""),
                                                          "dense": dense})
    computed("keras2_names", keras.models.load_model(path, compile=False))
    # A CuDNNLSTM: the bytes of each gate's block are the matrix (hidden, inputs) of cuDNN; two biases. Keras 3 has the
    # class no more: it computes with an LSTM of the same matrices.
    W, R, b = [draw(rng, 6, INPUTS) for _ in range(4)], [draw(rng, 6, 6) for _ in range(4)], draw(rng, 48)
    weights = [("cu_dnnlstm/kernel:0", np.hstack([w.reshape(INPUTS, 6) for w in W])),
               ("cu_dnnlstm/recurrent_kernel:0", np.hstack([r.reshape(6, 6) for r in R])), ("cu_dnnlstm/bias:0", b)]
    keras2("cudnn", [("CuDNNLSTM", {"name": "cu_dnnlstm", "units": 6, "return_sequences": True}), layers[3]],
           {"cu_dnnlstm": weights, "dense": dense})
    same = keras.Sequential([L.Input((None, INPUTS)), lstm(6), L.Dense(2)])
    same.layers[0].set_weights([np.hstack([w.T for w in W]), np.hstack([r.T for r in R]), b[:24] + b[24:]])
    same.layers[1].set_weights([dense[0][1], dense[1][1]])
    computed("cudnn", same)
    W, R, b = [draw(rng, 6, INPUTS) for _ in range(3)], [draw(rng, 6, 6) for _ in range(3)], draw(rng, 36)
    weights = [("cu_dnngru/kernel:0", np.hstack([w.reshape(INPUTS, 6) for w in W])),
               ("cu_dnngru/recurrent_kernel:0", np.hstack([r.reshape(6, 6) for r in R])), ("cu_dnngru/bias:0", b)]
    keras2("cudnn_gru", [("CuDNNGRU", {"name": "cu_dnngru", "units": 6, "return_sequences": True})],
           {"cu_dnngru": weights})
    same = keras.Sequential([L.Input((None, INPUTS)), L.GRU(6, return_sequences=True)])
    same.layers[0].set_weights([np.hstack([w.T for w in W]), np.hstack([r.T for r in R]), b.reshape(2, 18)])
    computed("cudnn_gru", same)


# ---- files of weights, and what HDF5 can do ----

def weights_only():
    model = keras.Sequential([L.Input((None, INPUTS)), lstm(6), lstm(5), L.Dense(2)])
    randomise(model)
    computed("weights", model)
    model.save_weights(out / "weights.weights.h5")
    (out / "weights.npz").rename(out / "weights.weights.npz")
    rng = np.random.default_rng(6)
    path = keras2("x", [("LSTM", dict(LSTM2, name="lstm"))], {"lstm": lstm_weights(rng, "lstm", INPUTS, 6)})
    computed("weights2", keras.models.load_model(path, compile=False))
    with h5py.File(path) as f, h5py.File(out / "weights2.h5", "w") as g:
        f.copy("model_weights/lstm", g)
    path.unlink()


def copies():
    """The file "one.h5" again: packed, with other bytes, with links and what else is refused."""
    def again(name, put=None, after=None):
        with h5py.File(out / "one.h5") as f, h5py.File(out / (name + ".h5"), "w") as g:
            for k, v in f.attrs.items():
                g.attrs[k] = v
            found = []
            f.visititems(lambda n, o: found.append((n, o[()])) if isinstance(o, h5py.Dataset) else None)
            for n, v in found if put else ():
                put(g, n, v)
            if not put:
                f.copy("model_weights", g)
            if after:
                after(g)
        (out / (name + ".npz")).write_bytes((out / "one.npz").read_bytes())
    again("packed", lambda g, n, v: g.create_dataset(n, data=v, compression="gzip", shuffle=True, fletcher32=True))
    again("turned_bytes", lambda g, n, v: g.create_dataset(n, data=v, dtype=">f8"))
    again("lzf", lambda g, n, v: g.create_dataset(n, data=v, compression="lzf"))
    again("soft_link", after=lambda g: g.__setitem__("w", h5py.SoftLink("/model_weights")))
    again("external_link", after=lambda g: g.__setitem__("w", h5py.ExternalLink("other.h5", "/w")))
    again("no_values", lambda g, n, v: g.create_dataset(n, v.shape, v.dtype))
    again("external_values", lambda g, n, v: g.create_dataset(n, v.shape, v.dtype,
                                                              external=[("other.bin", 0, v.nbytes)]))
    again("huge", after=lambda g: g.create_dataset("big", (1 << 40, 1 << 10), "f4", chunks=(1, 1 << 10)))

    def ring(g):
        g["model_weights/again"] = g["model_weights"]
    again("ring", after=ring)
    again("bad_json", after=lambda g: g.attrs.__setitem__("model_config", "{"))
    again("no_group", after=lambda g: g.__delitem__("model_weights"))


def main():
    global out
    to = pathlib.Path(sys.argv[1])
    for part in (simple, norms, graphs, ends_early, cells, refused, older, weights_only, copies):
        part()
    if not to.name.endswith(".tar.xz"):
        to.mkdir(exist_ok=True)
        for p in out.iterdir():
            (to / p.name).write_bytes(p.read_bytes())
        return
    with tarfile.open(to, "w:xz", preset=9) as tar:
        for p in sorted(out.iterdir()):
            entry = tarfile.TarInfo(p.name)
            entry.size = p.stat().st_size
            tar.addfile(entry, io.BytesIO(p.read_bytes()))


main()
