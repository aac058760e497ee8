"""The equations of every cell in numpy, in double, from the papers and the text of ONNX, and from nothing of the
generator: what its floating-point reference is held to. x: (steps, inputs); each gives (steps, outputs). Rows of W, R and
b stand in the order of the letters in the docstring. P: peepholes, (3, H) of i, f, o.

    LSTM    Hochreiter, Schmidhuber 1997; Gers, Schmidhuber, Cummins 2000 (forget gate); Gers, Schmidhuber 2000
            (peepholes); Sak, Senior, Beaufays 2014 (projection); Greff et al. 2017 (coupled gates)
    GRU     Cho et al. 2014; ONNX GRU-14 for both places of the reset gate
    LiGRU   Ravanelli, Brakel, Omologo, Bengio 2018; batch normalisation folded into W and b
    RNN     Elman 1990; ONNX RNN-14
"""
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# ONNX "Activation functions" of LSTM-14, in their order there; hard_sigmoid and leaky_relu with its default constants.
CURVES = {
    "relu": lambda z: np.maximum(0, z), "tanh": np.tanh, "sigmoid": sigmoid,
    "leaky_relu": lambda z, alpha=0.01: np.where(z >= 0, z, alpha * z),
    "hard_sigmoid": lambda z, alpha=0.2, beta=0.5: np.minimum(np.maximum(alpha * z + beta, 0), 1),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "hard_sigmoid_6": lambda z: np.clip(z + 3, 0, 6) / 6,        # PyTorch Hardsigmoid, Keras 3 hard_sigmoid
    "none": lambda z: z, "hard_tanh": lambda z: np.clip(z, -1, 1),
}


def curve(name):
    return CURVES[name]


def clipped(v, limit):
    return v if limit is None else np.clip(v, -limit, limit)


def lstm(x, W, R, b, P=None, Wp=None, bp=None, h0=None, c0=None, coupled=False, clip_input=None, clip_cell=None,
         clip_projection=None, activations=("sigmoid", "tanh", "tanh")):
    """i f g o; coupled: f g o, with i = 1 - f."""
    f_, g_, h_ = map(curve, activations)
    H = len(W) // (3 if coupled else 4)
    c = np.zeros(H) if c0 is None else c0
    h = np.zeros(R.shape[1]) if h0 is None else h0
    P = np.zeros((3, H)) if P is None else P
    out = []
    for x_t in x:
        z = W @ x_t + R @ h + b
        zf, zg, zo = z[-3 * H:-2 * H], z[-2 * H:-H], z[-H:]
        f = f_(clipped(zf + P[1] * c, clip_input))
        i = 1 - f if coupled else f_(clipped(z[:H] + P[0] * c, clip_input))
        c = clipped(f * c + i * g_(clipped(zg, clip_input)), clip_cell)
        m = f_(clipped(zo + P[2] * c, clip_input)) * h_(c)
        h = m if Wp is None else clipped(Wp @ m + (0 if bp is None else bp), clip_projection)
        out.append(h)
    return np.array(out)


def gru(x, W, R, b, b_R=None, h0=None, reset="after", clip_input=None, activations=("sigmoid", "tanh")):
    """r z n"""
    f_, g_ = map(curve, activations)
    H = R.shape[1]
    h = np.zeros(H) if h0 is None else h0
    b_R = np.zeros(3 * H) if b_R is None else b_R
    out = []
    for x_t in x:
        of_x = W @ x_t + b
        r = f_(clipped(of_x[:H] + R[:H] @ h + b_R[:H], clip_input))
        z = f_(clipped(of_x[H:2 * H] + R[H:2 * H] @ h + b_R[H:2 * H], clip_input))
        if reset == "after":
            n = g_(clipped(of_x[2 * H:] + r * (R[2 * H:] @ h + b_R[2 * H:]), clip_input))
        else:
            n = g_(clipped(of_x[2 * H:] + R[2 * H:] @ (r * h) + b_R[2 * H:], clip_input))
        h = (1 - z) * n + z * h
        out.append(h)
    return np.array(out)


def ligru(x, W, R, b, h0=None, clip_input=None, activations=("sigmoid", "relu")):
    """z n"""
    f_, g_ = map(curve, activations)
    H = R.shape[1]
    h = np.zeros(H) if h0 is None else h0
    out = []
    for x_t in x:
        a = clipped(W @ x_t + R @ h + b, clip_input)
        z, n = f_(a[:H]), g_(a[H:])
        h = z * h + (1 - z) * n
        out.append(h)
    return np.array(out)


def rnn(x, W, R, b, h0=None, clip_input=None, activations=("tanh",)):
    """h"""
    f_ = curve(activations[0])
    h = np.zeros(len(R)) if h0 is None else h0
    out = []
    for x_t in x:
        h = f_(clipped(W @ x_t + R @ h + b, clip_input))
        out.append(h)
    return np.array(out)


def linear(x, W, b, activation="none"):
    return curve(activation)(x @ W.T + b)
