"""What fastrnn takes without effect, refuses or leaves out of Keras, and why: the one place for it.

`support_table.py` derives the rest from the code, and `tests/test_support_table.py` holds both to
each other: a name or argument of Keras that is neither here nor in fastrnn fails a test, and so
does a fact that the code contradicts.
"""

from __future__ import annotations

from typing import NamedTuple

from fastrnn.compatibility.unsupported import UNSUPPORTED


class Fact(NamedTuple):
    """Something that is not as in Keras. The first fact that fits a name holds for it.

    Attributes:
        status: Of a name: `"left out"`; `"refusing"`, if it can be imported and not be used; or
            `"out of scope"`, which the table does not mention.
            Of an argument: `"without effect"`, `"refused"` (other than its default), `"only"` or
            `"left out"` (unknown here).
        subjects: Names below `keras`, with wildcards, separated by blanks.
        arguments: Names of arguments, separated by blanks; empty for the subjects themselves.
        reason: Why; after `"only"`, what there is.
        label: What the table calls the subjects, if not by their names.
    """

    status: str
    subjects: str
    arguments: str
    reason: str
    label: str = ""


def _names(status: str, reason: str, subjects: str) -> Fact:
    return Fact(status, subjects, "", reason)


NAMESPACES = (
    "models",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "callbacks",
    "regularizers",
    "constraints",
    "initializers",
    "activations",
    "datasets.imdb",
    "datasets.reuters",
    "datasets.mnist",
    "datasets.fashion_mnist",
    "datasets.boston_housing",
    "datasets.california_housing",
    "distribution",
    "preprocessing.sequence",
    "utils",
    "saving",
)

CALLED_LAYERS = frozenset(
    f"layers.{name}"
    for name in (
        "SimpleRNN",
        "LSTM",
        "GRU",
        "Bidirectional",
        "TimeDistributed",
        "Embedding",
        "Dense",
        "Dropout",
        "SpatialDropout1D",
        "Masking",
        "GlobalAveragePooling1D",
        "GlobalMaxPooling1D",
        "LayerNormalization",
    )
)
"""Layers whose call arguments are compared too."""

METHODS_OF = frozenset(
    ("models.Sequential", "layers.LSTM", "callbacks.Callback", "metrics.Metric", "losses.Loss")
)
"""Classes whose methods are compared too."""

LEFT_OUT = (
    *(
        _names("refusing", why, " ".join(f"{namespace}.{name}" for name in names.split()))
        for namespace, rows in UNSUPPORTED.items()
        if namespace in NAMESPACES
        for why, names in rows.items()
    ),
    _names(
        "out of scope",
        "internals of Keras",
        "*.*quantiz* *.stateless_* *.symbolic_call *.rematerialized_call *.*own_variables "
        "*.*_from_config *.get_build_config *.get_compile_config *.*_state_tree *.inner_loop "
        "*.compute_output_spec *.make_*_function *.*_step *.compute_loss *.compute_metrics "
        "*.add_variable *.add_metric *.add_weight *.get_metrics_result *.compute_mask "
        "*.Sequential.loss *.Sequential.compiled_* *.Sequential.call *.Sequential.build "
        "*.LSTM.call *.LSTM.build *.compute_output_shape",
    ),
    _names("left out", "an activation is its name", "activations.deserialize"),
)

ARGUMENTS = (
    Fact(
        "left out",
        "utils.get_file",
        "untar extract archive_format hash_algorithm",
        "`shutil.unpack_archive` unpacks; the kind of hash is told by its length",
    ),
    Fact(
        "without effect",
        "callbacks.TensorBoard",
        "write_graph write_images profile_batch embeddings_freq embeddings_metadata",
        "curves and histograms are written",
    ),
    Fact(
        "without effect",
        "layers.Input layers.InputLayer",
        "dtype",
        "tokens may be of any integer type, all else becomes float32",
    ),
    Fact(
        "only",
        "layers.*",
        "dtype",
        "`'float32'` and `'mixed_bfloat16'`: [Mixed precision](mixed-precision.md)",
        label="layers",
    ),
    Fact(
        "only",
        "losses.* metrics.*",
        "dtype",
        "`'float32'`",
        label="losses, metrics",
    ),
    Fact(
        "without effect",
        "layers.SimpleRNN layers.LSTM layers.GRU",
        "unroll implementation use_cudnn",
        "the kernels have one form",
    ),
    Fact(
        "without effect",
        "layers.RNN",
        "unroll",
        "a step costs the same either way",
    ),
    Fact(
        "without effect",
        "layers.Layer",
        "autocast",
        "outputs are float32",
        label="layers",
    ),
    Fact(
        "only",
        "layers.Conv*2D layers.Conv*3D layers.ConvLSTM1D layers.Conv*1DTranspose layers.*Pool*2D",
        "data_format",
        "`'channels_last'`",
        "layers over several dimensions",
    ),
    Fact(
        "left out",
        "utils.text_dataset_from_directory",
        "format",
        "it returns a data set of fastrnn",
    ),
    Fact(
        "refused",
        "layers.Conv2D layers.Conv3D layers.Convolution2D layers.Convolution3D",
        "groups",
        "one group sees all features",
    ),
    Fact(
        "refused",
        "layers.ConvLSTM1D layers.ConvLSTM2D",
        "return_state stateful",
        "states do not leave the layer",
    ),
    Fact(
        "refused",
        "layers.Conv*1DTranspose",
        "output_padding",
        "the sizes follow from `padding`",
    ),
    Fact(
        "refused",
        "layers.MultiHeadAttention",
        "flash_attention",
        "for GPUs",
    ),
    Fact(
        "refused",
        "layers.Dense layers.Embedding",
        "lora_rank lora_alpha quantization_config",
        "for tuning large models that were trained before",
    ),
    Fact(
        "refused",
        "layers.BatchNormalization",
        "renorm renorm_clipping renorm_momentum",
        "for batches of very few samples",
    ),
    Fact(
        "without effect",
        "layers.BatchNormalization",
        "synchronized",
        "several processes must not train it (`distribution.DataParallel`)",
    ),
    Fact(
        "without effect",
        "distribution.initialize",
        "job_addresses",
        "MPI knows the addresses",
    ),
    Fact(
        "only",
        "distribution.DataParallel",
        "device_mesh devices auto_shard_dataset",
        "their defaults: all processes, which read the same batches",
    ),
    Fact(
        "only",
        "losses.* metrics.*",
        "axis",
        "-1, the last one",
        label="losses and metrics",
    ),
    Fact(
        "without effect",
        "models.Sequential.compile",
        "run_eagerly steps_per_execution jit_compile",
        "there is no graph to trace or to compile",
    ),
    Fact(
        "without effect",
        "models.Sequential.compile",
        "auto_scale_loss",
        "float32 needs no scaled loss",
    ),
    Fact(
        "only",
        "models.Sequential.export",
        "format",
        "`'onnx'`, which has to be given",
    ),
    Fact(
        "refused",
        "models.Sequential.export",
        "input_signature",
        "shapes and types are those of the model",
    ),
    Fact(
        "refused",
        "models.Sequential.summary",
        "positions layer_range",
        "the table has one form",
    ),
    Fact(
        "refused",
        "models.Sequential.save_weights",
        "max_shard_size",
        "one file holds all weights",
        "`Sequential.save_weights`",
    ),
    Fact(
        "left out",
        "saving.save_weights",
        "max_shard_size",
        "one file holds all weights",
        "`saving.save_weights`",
    ),
    Fact(
        "left out",
        "*.deserialize models.Sequential.from_config",
        "custom_objects",
        "`with saving.custom_object_scope(custom_objects):` does it",
        label="`deserialize`, `from_config`",
    ),
    Fact(
        "refused",
        "layers.Input layers.InputLayer",
        "sparse ragged input_tensor optional",
        "inputs are dense arrays",
    ),
    Fact(
        "refused",
        "layers.StringLookup layers.TextVectorization",
        "sparse ragged",
        "outputs are dense arrays",
    ),
    Fact(
        "left out",
        "utils.split_dataset",
        "preferred_backend",
        "there is one",
    ),
    Fact(
        "left out",
        "utils.timeseries_dataset_from_array",
        "format",
        "batches are NumPy arrays",
    ),
)
