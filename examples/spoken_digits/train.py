#!/usr/bin/python3
"""Train the spoken-digit network of this example, prune it, retrain it, write the files spec.yaml names.

Needs python3-numpy, python3-torch and espeak-ng (all in Debian), no network access and no recordings:
every utterance is synthesised. Three to four minutes on two cores.
"""
import argparse
import subprocess
from pathlib import Path

import numpy as np
import torch

# Features: 8 kHz, 25 ms window every 20 ms, 26 mel bands, 13 cepstral coefficients.
RATE, WINDOW, HOP, FFT = 8000, 200, 160, 256
BANDS, LOW_HZ, HIGH_HZ, COEFFS = 26, 60.0, 4000.0, 13
MAX_STEPS = 50

HIDDEN, DIGITS = 64, 10
BANKS, KEEP = 8, 2                  # every row of R keeps 2 of the 8 weights in each of its 8 banks: 75 % zeros

WORDS = "zero one two three four five six seven eight nine".split()
ACCENTS = "en-gb en-us en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-gb-x-gbcwmd en-029".split()

# A voice is an accent spoken by one of espeak-ng's variants. No variant and no speaking rate is in both
# lists, so the test measures voices and tempi the network has never heard.
TRAIN_VARIANTS = ("m1 m2 m3 m5 m6 m8 f1 f2 f3 Alex Alicia Andrea Annie belinda boris david Denis ed Gene "
                  "grandma Hugo Jacky john linda Michael paul rob steph klatt2 klatt4").split()
TEST_VARIANTS = "m4 m7 f4 f5 Lee Mario Mike edward victor grandpa".split()
TRAIN_RATES = [110, 130, 150, 170, 190, 210, 230]      # words per minute
TEST_RATES = [120, 140, 160, 180, 200, 220]
TRAIN_TAKES, TEST_TAKES = 3, 1                         # per voice and digit
COMMITTED = 60                                         # utterances kept as the example's test set


# ---- utterances -------------------------------------------------------------------------------------

def speak(word, voice, rate, pitch):
    """One word as float samples at espeak-ng's own 22050 Hz. A header of 44 bytes comes first."""
    command = ["espeak-ng", "-v", voice, "-s", str(rate), "-p", str(pitch), "--stdout", word]
    wave = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(wave[44:], "<i2").astype(np.float64) / 32768


def check_variants(variants):
    """espeak-ng replaces a variant it lacks by the plain voice and says nothing: find that out first."""
    plain = speak("seven", "en-us+no_such_variant", 160, 50)
    missing = [v for v in variants if np.array_equal(speak("seven", f"en-us+{v}", 160, 50), plain)]
    if missing:
        raise SystemExit(f"train.py: espeak-ng has no variant {', '.join(missing)}")


def to_8_khz(wave, rate=22050):
    """Resample by cutting the spectrum: exact low-pass, good enough for utterances of a second."""
    length = len(wave) * RATE // rate
    return np.fft.irfft(np.fft.rfft(wave)[:length // 2 + 1], length) * (length / len(wave))


def trim(wave, floor=0.01):
    """Drop the silence before and after the word; the synthesiser's tail is longer than some digits."""
    loud = np.flatnonzero(np.abs(wave) > floor * np.abs(wave).max())
    return wave[loud[0]:loud[-1] + 1]


def roughen(wave, rng):
    """Gain of +-6 dB and white noise 5 to 25 dB below the word: a synthesiser alone is too clean."""
    gain = 10 ** (rng.uniform(-6, 6) / 20)
    noise = np.sqrt(np.mean(wave ** 2)) * 10 ** (-rng.uniform(5, 25) / 20)
    return gain * (wave + noise * rng.standard_normal(len(wave)))


# ---- features ---------------------------------------------------------------------------------------

def mel_bank():
    """(BANDS, FFT / 2 + 1) triangles, equally wide on the mel scale."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    left, centre, right = (edges[i:i + BANDS, None] for i in range(3))
    hz = np.arange(FFT // 2 + 1) * RATE / FFT
    return np.maximum(0, np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)))


def dct_matrix():
    """(COEFFS, BANDS) orthonormal DCT-II."""
    angle = np.pi * np.arange(COEFFS)[:, None] * (np.arange(BANDS) + 0.5) / BANDS
    scale = np.where(np.arange(COEFFS) == 0, 1, np.sqrt(2))[:, None] / np.sqrt(BANDS)
    return scale * np.cos(angle)


def mfcc(wave):
    """(steps, COEFFS), at most MAX_STEPS steps."""
    wave = np.pad(wave, (0, max(0, WINDOW - len(wave))))
    starts = np.arange(0, len(wave) - WINDOW + 1, HOP)[:MAX_STEPS]
    frames = wave[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2
    return np.log(power @ mel_bank().T + 1e-6) @ dct_matrix().T


def make_set(variants, rates, takes, rng):
    """Every digit in every voice, at random rates and pitches: (list of features, labels)."""
    features, labels = [], []
    for voice in (f"{accent}+{variant}" for variant in variants for accent in ACCENTS):
        for digit in np.tile(np.arange(DIGITS), takes):
            wave = speak(WORDS[digit], voice, int(rng.choice(rates)), int(rng.integers(20, 81)))
            features.append(mfcc(roughen(trim(to_8_khz(wave)), rng)))
            labels.append(digit)
    return features, np.array(labels, np.int32)


def pad(features, mean, std):
    """Standardise and pad with zeros: x (N, steps of the longest, COEFFS), lengths (N)."""
    lengths = np.array([len(f) for f in features], np.int32)
    x = np.zeros((len(features), lengths.max(), COEFFS), np.float32)
    for row, f in zip(x, features):
        row[:len(f)] = (f - mean) / std
    return x, lengths


# ---- network ----------------------------------------------------------------------------------------

class Digits(torch.nn.Module):
    """LSTM 13 -> 64, then a linear layer on the last step of each utterance."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(COEFFS, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, DIGITS)

    def forward(self, x, lengths):
        h, _ = self.lstm(x)
        return self.head(h[torch.arange(len(x)), lengths.long() - 1])


def bank_mask(matrix):
    """Ones at the KEEP largest magnitudes of each bank of each row; the lower index wins a tie."""
    banks = matrix.detach().abs().numpy().reshape(len(matrix), BANKS, -1)
    kept = np.argsort(-banks, axis=2, kind="stable")[:, :, :KEEP]
    mask = np.zeros_like(banks)
    np.put_along_axis(mask, kept, 1, axis=2)
    return torch.from_numpy(mask.reshape(matrix.shape))


def apply_mask(net, mask):
    with torch.no_grad():
        net.lstm.weight_hh_l0.mul_(mask)


def fit(net, data, epochs, rate, mask=None, batch=64, say=lambda text: print(text, flush=True)):
    """Adam with a cosine schedule. The mask is applied after every step, so pruned weights stay zero."""
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        total = 0.0
        for pick in torch.randperm(len(data[0])).split(batch):
            x, lengths, labels = (tensor[pick] for tensor in data)
            x = x + 0.2 * torch.randn_like(x)      # fresh noise each time: fewer utterances learnt by heart
            loss = torch.nn.functional.cross_entropy(net(x, lengths), labels.long())
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            if mask is not None:
                apply_mask(net, mask)
            total += loss.item() * len(pick)
        schedule.step()
        say(f"  epoch {epoch + 1:2d}  loss {total / len(data[0]):.4f}")


def logits(net, data):
    with torch.no_grad():
        return net(data[0], data[1])


def report(name, net, test, few):
    """Accuracy on all unseen utterances and on the committed ones."""
    right = logits(net, test).argmax(1) == test[2]
    print(f"{name}: {100 * right.float().mean():.2f} % of {len(right)} unseen utterances, "
          f"{int(right[few].sum())} of the {len(few)} committed", flush=True)


# ---- files ------------------------------------------------------------------------------------------

def tensors(net):
    """The names that spec.yaml gives to lstmgen."""
    named = {"W": net.lstm.weight_ih_l0, "R": net.lstm.weight_hh_l0, "b_ih": net.lstm.bias_ih_l0,
             "b_hh": net.lstm.bias_hh_l0, "out_w": net.head.weight, "out_b": net.head.bias}
    return {name: tensor.detach().numpy() for name, tensor in named.items()}


def choose(labels, rng):
    """COMMITTED utterances, as many of each digit, in random order."""
    each = COMMITTED // DIGITS
    picks = [rng.choice(np.flatnonzero(labels == d), each, replace=False) for d in range(DIGITS)]
    return rng.permutation(np.concatenate(picks))


def write_test(folder, net, few):
    x, lengths, labels = few
    x = x[:, :int(lengths.max())]
    np.save(folder / "test_x.npy", x.numpy())
    np.save(folder / "test_len.npy", lengths.numpy())
    np.save(folder / "test_label.npy", labels.numpy())
    np.save(folder / "test_y.npy", logits(net, (x, lengths))[:, None, :].numpy())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the result")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of dense training; half as many follow "
                        "under the mask")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def make_data(seed):
    """Training and test tensors (x, lengths, labels), the features' mean and deviation, the committed rows."""
    check_variants(TRAIN_VARIANTS + TEST_VARIANTS)
    rng = np.random.default_rng(seed)
    train, train_labels = make_set(TRAIN_VARIANTS, TRAIN_RATES, TRAIN_TAKES, rng)
    test, test_labels = make_set(TEST_VARIANTS, TEST_RATES, TEST_TAKES, rng)
    frames = np.concatenate(train)
    mean, std = frames.mean(0), frames.std(0)
    sets = [tuple(map(torch.from_numpy, (*pad(features, mean, std), labels)))
            for features, labels in ((train, train_labels), (test, test_labels))]
    return *sets, {"mean": mean.astype(np.float32), "std": std.astype(np.float32)}, choose(test_labels, rng)


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(2)
    train, test, scaling, few = make_data(args.seed)
    print(f"{len(train[0])} training utterances, {len(test[0])} test utterances in unseen voices")
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez(args.out / "features.npz", **scaling)

    net = Digits()
    fit(net, train, args.epochs, 3e-3)
    report("dense", net, test, few)
    np.savez(args.out / "digits_dense.npz", **tensors(net))

    mask = bank_mask(net.lstm.weight_hh_l0)
    apply_mask(net, mask)
    report("pruned, not retrained", net, test, few)
    fit(net, train, args.epochs // 2, 1e-3, mask)
    report("pruned and retrained", net, test, few)
    np.savez(args.out / "digits.npz", **tensors(net))
    write_test(args.out, net, [tensor[few] for tensor in test])


if __name__ == "__main__":
    main()
