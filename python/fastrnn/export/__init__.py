"""Models as files of other programs: `Model.export` writes ONNX.

`model.py` walks the plan of a model, `registry.py` has the function that each layer is exported by
(`layers.py`, `recurrent.py`), and `builder.py` collects the nodes. Only `model.py` imports onnx.
"""
