"""What area.py and patterns.py compare: every pattern with a quarter of the weights kept, on 8 x 8 multipliers."""
KEEP = 0.25
CORE = {"precision": {"activation": 16, "weight": 16, "state": 24}, "engine": {"pes": 8, "pe_width": 8}}


def quarters(block):
    """{pattern: its `sparsity`}, with blocks of so many rows and columns."""
    keys = {"bank_balanced": {"banks": 8}, "grouped_columns": {"group_rows": 8}, "structured_blocks": {"block": block},
            "column_balanced": {}}
    return dict({"dense": {"pattern": "dense"}},
                **{name: dict({"pattern": name, "keep": KEEP}, **more) for name, more in keys.items()})
