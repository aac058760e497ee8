"""Rows of the speed table: published systems' networks, our engine for them, and what is to be reached."""
import dataclasses
from typing import Callable, Optional, Union

import make_spartus


@dataclasses.dataclass
class Row:
    id: str
    network: str                        # as in the paper
    engine: str                         # pattern and size, for the table
    other: str                          # what the other system needs
    other_cycles: Optional[float] = None
    layers: list = dataclasses.field(default_factory=list)      # [(inputs, hidden)]
    cell: str = "lstm"
    projections: list = dataclasses.field(default_factory=list)
    peephole: bool = False
    keys: dict = dataclasses.field(default_factory=dict)        # of every layer, beside those of the cell
    sparsity: dict = dataclasses.field(default_factory=dict)
    pes: int = 1
    lanes: int = 1
    stream: Union[int, str] = "auto"    # elements per beat
    steps: int = 6
    reach: Union[float, Callable, None] = None                  # cycles, or a function of the minimum
    minimum: Optional[Callable] = None  # of the object of --json; default: kept weights / multipliers
    input: Optional[Callable] = None    # (path, steps, inputs); default: normal noise
    more: dict = dataclasses.field(default_factory=dict)        # further keys of the spec
    write: Optional[Callable] = None    # of a folder: writes all files itself, returns the spec's path
    lacks: str = ""                     # what the generator cannot do yet


BANKS_8 = {"pattern": "bank_balanced", "keep": 0.125}
BLOCKS = {"pattern": "structured_blocks", "keep": 0.08, "block": 32, "align": True}


def spartus(zero):
    """With so many percent of the deltas 0. The minimum is the matrix phase: the cycles that the columns of the busiest
    array take, the mean over the steps that are measured."""
    return Row("spartus_%d" % zero, "delta LSTM 123 -> 1024, %d %% of the deltas 0" % zero,
               "column_balanced 93.75 %, 64 x 8", "Spartus, on average: 200", 200,
               reach=lambda minimum: 1.1 * minimum + 24,
               minimum=lambda o: o["delta"]["matrix_phase"], write=lambda folder: make_spartus.write_all(folder, zero))


ROWS = [
    Row("google_64", "LSTM 153 -> 1024, peephole, projection 512", "bank_balanced 1/8, 64 x 64", "BBS: 481", 481,
        layers=[(153, 1024)], projections=[512], peephole=True, sparsity=BANKS_8, pes=64, lanes=64, reach=152),
    Row("google_32", "the same", "bank_balanced 1/8, 32 x 32", "BBS, 4096 multipliers: 481", 481,
        layers=[(153, 1024)], projections=[512], peephole=True, sparsity=BANKS_8, pes=32, lanes=32, reach=465),
    Row("ptb_650", "LSTM 650 -> 650", "bank_balanced 1/5, 64 x 64", "-", layers=[(650, 650)],
        sparsity={"pattern": "bank_balanced", "keep": 0.2}, pes=64, lanes=64, stream=8, reach=256),
    # 11 groups of 64 rows a gate hold 650: 264 cycles. In 10 groups of 65, and banks of whole columns, none is idle.
    Row("ptb_650_65", "the same", "bank_balanced 1/5, 65 x 50", "-", layers=[(650, 650)],
        sparsity={"pattern": "bank_balanced", "keep": 0.2}, pes=65, lanes=50, stream=8, reach=256),
    Row("mt1", "LSTM 128 -> 256 -> 256", "structured_blocks 12.5x, 64 x 8", "CSB-RNN: 158", 158,
        layers=[(128, 256), (256, 256)], sparsity=BLOCKS, pes=64, lanes=8, stream=2, reach=150),
    Row("sr1", "LSTM 153 -> 1024(512) -> 1024(512)", "structured_blocks 13x, 64 x 8", "CSB-RNN: 1316", 1316,
        layers=[(153, 1024), (512, 1024)], projections=[512, 512], sparsity=dict(BLOCKS, keep=1 / 13), pes=64, lanes=8,
        reach=1240),
    Row("sr2", "GRU 39 -> 1024 -> 1024", "structured_blocks 20x, 64 x 8", "CSB-RNN: 1036", 1036, cell="gru",
        layers=[(39, 1024), (1024, 1024)], keys={"reset": "after"}, sparsity=dict(BLOCKS, keep=0.05), pes=64, lanes=8,
        reach=970),
    *(spartus(zero) for zero in make_spartus.THRESHOLDS),
    Row("wang_dense", "LSTM 128 -> 256 -> 256", "dense, 16 x 16", "-", layers=[(128, 256), (256, 256)],
        sparsity={"pattern": "dense"}, pes=16, lanes=16),
    Row("wang", "the same", "grouped_columns 1/8, 16 x 16", "Wang: 97.75 % of dense use",
        layers=[(128, 256), (256, 256)], sparsity={"pattern": "grouped_columns", "keep": 0.125}, pes=16, lanes=16,
        reach=452),
    Row("koios", "LSTM 100 -> 64", "dense, 64 x 10", "Koios lstm, 656 multipliers: 81", 81, layers=[(100, 64)],
        sparsity={"pattern": "dense"}, pes=64, lanes=10, stream=2, steps=12, reach=lambda minimum: minimum / 0.97),
    # 164 columns are 17 words of 10, or 97 % of them at best; 20.5 of 8.
    Row("koios_8", "the same", "dense, 64 x 8", "Koios lstm, 656 multipliers: 81", 81, layers=[(100, 64)],
        sparsity={"pattern": "dense"}, pes=64, lanes=8, stream=2, steps=12, reach=lambda minimum: minimum / 0.97),
    Row("edge", "GRU 64 -> 128", "dense, 8 x 1", "EdgeDRNN: 9207", 9207, cell="gru", keys={"reset": "after"},
        layers=[(64, 128)], sparsity={"pattern": "dense"}, pes=8, lanes=1, reach=9262),
    Row("tiny", "LSTM 1 -> 20", "dense, 4 x 1", "elastic-ai.creator: 890", 890, layers=[(1, 20)],
        sparsity={"pattern": "dense"}, pes=4, lanes=1, steps=12, reach=450),
    Row("rt", "LSTM 10 -> 500(188), peephole, real-time input", "bank_balanced 1/8, 16 x 16", "-", peephole=True,
        layers=[(10, 500)], projections=[188], sparsity=BANKS_8, pes=16, lanes=16),
]
