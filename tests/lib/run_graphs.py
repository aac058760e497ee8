"""Runs in the virtual environment: values of ONNX graphs as ONNX Runtime computes them.

    run_graphs.py FOLDER      every NAME.json there: {"model": file, "inputs": npz, "values": [names]} -> NAME.npz
"""
import json, pathlib, sys

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.log_severity_level = 4
for job in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    what = json.loads(job.read_text())
    try:
        session = onnxruntime.InferenceSession(what["model"], options, providers=["CPUExecutionProvider"])
        inputs = np.load(what["inputs"])
        taken = {i.name for i in session.get_inputs()}
        got = session.run(what["values"], {k: inputs[k] for k in inputs.files if k in taken})
        np.savez(job.with_suffix(".npz"), **{"v%d" % i: np.asarray(v, "<f4") for i, v in enumerate(got)})
    except Exception as e:
        job.with_suffix(".failed").write_text(str(e))
