#!/usr/bin/env python3
"""Writes frozen graphs (.pb) and TensorFlow Lite files with TensorFlow 2.15, and what TensorFlow computes with them:
NAME.npz with x and y.

    make.py OUT             a folder, or an archive: fixtures.tar.xz beside this file is made so

y is what the layers up to the end of the core give: (1, steps, outputs), or (1, outputs) of the last step; y_lite is what
the interpreter gives, where the network is quantised: y then is the float network of the quantised weights, in numpy.
`make tensorflow` installs what this needs into build/tensorflow.
"""
import io, os, pathlib, sys, tarfile, tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "lib"))
import numpy as np
import tensorflow as tf
import tf_cells

v1, K, L = tf.compat.v1, tf.keras, tf.keras.layers
cells = v1.nn.rnn_cell
STEPS, I, H = 24, 6, 8
out = pathlib.Path(tempfile.mkdtemp(prefix="lstmgen_tensorflow."))


# ---- frozen graphs ----

def freeze(name, build):
    """build(x) -> (y of the core, the graph's end)."""
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [1, None, I], name="x")
        y, end = build(x)
        end = tf.identity(end, name="end")
        with v1.Session() as session:
            rng = np.random.default_rng(1)
            for v in v1.global_variables():
                v.load(rng.normal(size=v.shape) * 0.4, session)
            given = rng.normal(size=(1, STEPS, I)).astype("f4")
            got = session.run(y, {x: given})
            graph = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["end"])
    (out / (name + ".pb")).write_bytes(graph.SerializeToString())
    np.savez(out / (name + ".npz"), x=given, y=got)


def every(cell, **options):
    def build(x):
        y = v1.nn.dynamic_rnn(cell(), x, dtype=tf.float32, **options)[0]
        return y, y
    return build


def last(x):
    h = v1.nn.dynamic_rnn(cells.LSTMCell(H), x, dtype=tf.float32)[1].h
    return h, v1.layers.dense(h, 3)


def two(x):
    y = v1.nn.dynamic_rnn(cells.LSTMCell(H), x, dtype=tf.float32, scope="a")[0]
    y = v1.nn.dynamic_rnn(cells.GRUCell(5), y, dtype=tf.float32, scope="b")[0]
    return y, y


def time_major(x):
    y = v1.nn.dynamic_rnn(cells.LSTMCell(H), tf.transpose(x, [1, 0, 2]), dtype=tf.float32, time_major=True)[0]
    y = tf.transpose(y, [1, 0, 2])
    return y, y


def static(x):
    y = tf.stack(v1.nn.static_rnn(cells.BasicLSTMCell(H), [x[:, t] for t in range(4)], dtype=tf.float32)[0], 1)
    return y, y


def both(x):
    y = tf.concat(v1.nn.bidirectional_dynamic_rnn(cells.LSTMCell(H), cells.LSTMCell(H), x, dtype=tf.float32)[0], 2)
    return y, y


def keras_rnn(x):
    y = v1.keras.layers.SimpleRNN(H, return_sequences=True)(x)
    return y, y


v1.disable_control_flow_v2()
GRAPHS = {
    "basic": every(lambda: cells.BasicLSTMCell(H)),
    "forget_bias": every(lambda: cells.BasicLSTMCell(H, forget_bias=0.3)),
    "peepholes": every(lambda: cells.LSTMCell(H, use_peepholes=True)),
    "projection": every(lambda: cells.LSTMCell(H, num_proj=5, proj_clip=0.3)),
    "all": every(lambda: cells.LSTMCell(H, use_peepholes=True, num_proj=5, cell_clip=0.5)),
    "relu": every(lambda: cells.LSTMCell(H, activation=tf.nn.relu)),
    "gru": every(lambda: cells.GRUCell(H)),
    "rnn": every(lambda: cells.BasicRNNCell(H)),
    "multi": every(lambda: cells.MultiRNNCell([cells.LSTMCell(H), cells.GRUCell(4)])),
    "lengths": every(lambda: cells.LSTMCell(H), sequence_length=[5]),
    "last": last, "two": two, "time_major": time_major, "static": static, "bidirectional": both, "keras_rnn": keras_rnn,
}


# ---- TensorFlow Lite ----

def interpret(content, x):
    """(y, for each LSTM its weights as the interpreter has them, scales multiplied)"""
    i = tf.lite.Interpreter(model_content=content)
    i.allocate_tensors()
    i.set_tensor(i.get_input_details()[0]["index"], x)
    i.invoke()
    details = {d["index"]: d for d in i.get_tensor_details()}

    def value(index):
        scales = details[index]["quantization_parameters"]
        v = i.get_tensor(index).astype(float)
        return v * scales["scales"][0] if len(scales["scales"]) else v
    lstms = [[value(k) for k in o["inputs"][1:9]] + [value(k) for k in o["inputs"][12:16]]
             for o in i._get_ops_details() if o["op_name"] == "UNIDIRECTIONAL_SEQUENCE_LSTM"]
    return i.get_tensor(i.get_output_details()[0]["index"]), lstms


def network(x, lstms):
    for w in lstms:
        kernel = np.vstack([np.vstack(w[:4]).T, np.vstack(w[4:8]).T])
        x = tf_cells.lstm(x, kernel, np.concatenate(w[8:]), w[0].shape[0], forget_bias=0, order="ifjo", cell_clip=10)
    return x


def lite(name, *layers, quantised=False, core=None):
    K.utils.set_random_seed(3)
    model = K.Sequential([K.Input((STEPS, I), batch_size=1), *layers])
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
    function = tf.function(lambda x: model(x)).get_concrete_function(tf.TensorSpec([1, STEPS, I], tf.float32))
    convert = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    if quantised:
        convert.optimizations = [tf.lite.Optimize.DEFAULT]
        convert.representative_dataset = lambda: ([rng.normal(size=(1, STEPS, I)).astype("f4")] for _ in range(20))
        convert.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    content = convert.convert()
    x = rng.normal(size=(1, STEPS, I)).astype("f4")
    y, lstms = interpret(content, x)
    (out / (name + ".tflite")).write_bytes(content)
    if quantised:
        np.savez(out / (name + ".npz"), x=x, y=network(x[0], lstms)[None], y_lite=y)
    else:
        np.savez(out / (name + ".npz"), x=x, y=K.Sequential(model.layers[:core])(x).numpy() if core else y)


def lstm(units, **options):
    return L.LSTM(units, return_sequences=True, **options)


def main():
    for name, build in GRAPHS.items():
        freeze(name, build)
    lite("lite", lstm(H))
    lite("lite_two", lstm(H), lstm(5))
    lite("lite_dense", lstm(H), L.Dense(3, activation="relu"), core=1)
    lite("lite_int8", lstm(H), quantised=True)
    lite("lite_int8_two", lstm(H), lstm(5), quantised=True)
    lite("lite_gru", L.GRU(H, return_sequences=True))
    lite("lite_backward", lstm(H, go_backwards=True))
    lite("lite_both", L.Bidirectional(lstm(H)))
    target = pathlib.Path(sys.argv[1])
    if not target.name.endswith(".tar.xz"):
        target.mkdir(exist_ok=True)
        for f in out.iterdir():
            (target / f.name).write_bytes(f.read_bytes())
        return
    with tarfile.open(target, "w:xz") as t:
        for f in sorted(out.iterdir()):
            info = tarfile.TarInfo(f.name)
            info.size = f.stat().st_size
            t.addfile(info, io.BytesIO(f.read_bytes()))


main()
