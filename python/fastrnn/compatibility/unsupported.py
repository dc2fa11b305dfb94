"""Names of Keras that are not supported: they can be imported, and refuse when they are used.

A script often imports more than it needs. So `from fastrnn.layers import Resizing` works, and
`Resizing(...)` says why there is none. These names are not attributes of their modules: `dir` and
`__all__` list what is supported. A name that becomes supported is found before this table is asked.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NoReturn

_IMAGES = "images are not what recurrent layers read"
_TABLES = "tables and sound are prepared before they reach a model"
_SAMPLES = "samples are arrays, lists, generators or a `PyDataset`"
_OWN_CLASSES = "classes of your own go into `custom_objects`, never into a registry"
_FLOAT32 = "weights and results are float32"

UNSUPPORTED: dict[str, dict[str, str]] = {
    "": {
        "arrays of NumPy take the place of symbolic tensors and of scopes around them": (
            "Function InputSpec KerasTensor Operation RematScope StatelessScope SymbolicScope "
            "device name_scope remat"
        ),
        _FLOAT32: "Quantizer",
        "`fastrnn.__version__` has it": "version",
    },
    "layers": {
        _IMAGES: (
            "AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling2D "
            "AdaptiveMaxPooling3D AugMix AutoContrast AveragePooling3D "
            "AvgPool3D CenterCrop ContrastLimitedAdaptiveHistogramEqualization "
            "Conv2DTranspose Conv3DTranspose ConvLSTM3D "
            "Convolution2DTranspose Convolution3DTranspose Cropping2D Cropping3D "
            "CutMix DepthwiseConv2D Equalization GlobalAveragePooling3D "
            "GlobalAvgPool3D GlobalMaxPool3D "
            "GlobalMaxPooling3D MaxNumBoundingBoxes MaxPool3D "
            "MaxPooling3D MixUp RandAugment RandomBrightness RandomColorDegeneration "
            "RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing "
            "RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert "
            "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness "
            "RandomShear RandomTranslation RandomZoom Resizing SeparableConv2D "
            "SeparableConvolution2D Solarization SpatialDropout2D SpatialDropout3D UpSampling2D "
            "UpSampling3D ZeroPadding2D ZeroPadding3D"
        ),
        _TABLES: (
            "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup "
            "MelSpectrogram Pipeline STFTSpectrogram"
        ),
        "it holds code of another framework": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
        "of attention there are Attention, AdditiveAttention and MultiHeadAttention": (
            "GroupQueryAttention"
        ),
        "the number of windows follows from the number of steps": (
            "AdaptiveAveragePooling1D AdaptiveMaxPooling1D"
        ),
        "it was not of use around recurrent layers so far": (
            "EinsumDense ReversibleEmbedding SpectralNormalization"
        ),
        "it is an internal of Keras": "InputSpec Wrapper",
    },
    "losses": {
        "it is for images and retrieval": "Circle Dice Tversky circle dice tversky",
        "it is for noisy labels": (
            "CategoricalGeneralizedCrossEntropy categorical_generalized_cross_entropy"
        ),
    },
    "metrics": {
        "it is for images": "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU",
        "correlations are computed from the predictions, with NumPy": (
            "ConcordanceCorrelation PearsonCorrelation concordance_correlation pearson_correlation"
        ),
    },
    "optimizers": {
        "it is made for other kinds of models": "Adafactor Ftrl Lamb Lion Muon ScheduleFreeAdamW",
        "there is one optimizer, and no loss is scaled": (
            "LossScaleOptimizer MultiOptimizer OptimizerMap"
        ),
    },
    "callbacks": {
        "it needs Orbax or a server": "OrbaxCheckpoint RemoteMonitor",
        "`use_ema` of the optimizer does it": "SwapEMAWeights",
    },
    "initializers": {"it is a fixed transform of sound": "STFT STFTInitializer stft"},
    "preprocessing": {
        _SAMPLES: "image_dataset_from_directory",
    },
    "utils": {
        _IMAGES: "array_to_img img_to_array load_img save_img",
        _SAMPLES: ("audio_dataset_from_directory image_dataset_from_directory"),
        _TABLES: "FeatureSpace",
        "it serves the backends of Keras": (
            "Config disable_interactive_logging enable_interactive_logging get_source_inputs "
            "is_interactive_logging_enabled is_keras_tensor standardize_dtype"
        ),
        _OWN_CLASSES: ("deserialize_keras_object serialize_keras_object"),
    },
    "random": {
        "NumPy draws such numbers: `numpy.random.default_rng(seed)`": "beta binomial dropout gamma",
    },
    "saving": {
        _OWN_CLASSES: ("deserialize_keras_object serialize_keras_object"),
        "files are read and written whole": "KerasFileEditor",
    },
    "config": {
        "`fastrnn.backend` has the settings": (
            "backend disable_flash_attention disable_interactive_logging "
            "disable_traceback_filtering enable_flash_attention "
            "enable_interactive_logging enable_traceback_filtering enable_unsafe_deserialization "
            "epsilon floatx image_data_format is_flash_attention_enabled "
            "is_interactive_logging_enabled is_nnx_enabled is_traceback_filtering_enabled "
            "max_epochs max_steps_per_epoch set_backend set_epsilon set_floatx "
            "set_image_data_format set_max_epochs set_max_steps_per_epoch"
        ),
    },
    "export": {"`Model.export` writes ONNX files": "ExportArchive"},
    "dtype_policies": {
        "the policies are float32 and mixed_bfloat16": (
            "AWQDTypePolicy DTypePolicyMap GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy "
            "QuantizedFloat8DTypePolicy"
        ),
    },
    "mixed_precision": {
        "bfloat16 has the range of float32 and needs no scaled loss": "LossScaleOptimizer",
    },
    "distribution": {
        "each process holds the whole model; `DataParallel` shares out the batches": (
            "DeviceMesh LayoutMap ModelParallel TensorLayout distribute_tensor"
        ),
    },
}
"""Namespace below `keras` -> why -> names in it, separated by blanks."""

REMOVED: dict[str, dict[str, str]] = {
    "layers": {
        "LSTM is the same layer": "CuDNNLSTM",
        "GRU with `reset_after=True` is the same layer": "CuDNNGRU",
        "`Activation` of `activations.threshold` is the same": "ThresholdedReLU",
        "Keras 3 has removed it": (
            "AbstractRNNCell DenseFeatures LocallyConnected1D LocallyConnected2D"
        ),
    },
    "utils": {"the kernels use all cores, and no GPU": "multi_gpu_model"},
}
"""The same for names of older versions that Keras 3 has no more."""

MODULES: dict[str, str] = {
    _IMAGES: (
        "applications applications.convnext applications.densenet applications.efficientnet "
        "applications.efficientnet_v2 applications.imagenet_utils applications.inception_resnet_v2 "
        "applications.inception_v3 applications.mobilenet applications.mobilenet_v2 "
        "applications.mobilenet_v3 applications.nasnet applications.resnet applications.resnet50 "
        "applications.resnet_v2 applications.vgg16 applications.vgg19 applications.xception "
        "datasets.cifar10 datasets.cifar100 preprocessing.image utils.bounding_boxes visualization"
    ),
    _FLOAT32: "quantizers",
    "a model is trained alone": "distillation",
    "estimators belong to TensorFlow": "estimator",
    "Python itself walks lists and dicts": "tree",
    "`fastrnn.sklearn` has estimators for scikit-learn, and scikeras too": (
        "wrappers wrappers.scikit_learn"
    ),
}
"""Why -> modules below `keras` of which there is nothing, separated by blanks."""

WHY_NO_MODULE = {module: why for why, modules in MODULES.items() for module in modules.split()}


def reason_for(namespace: str, name: str) -> str | None:
    """Return why a name of Keras is not supported, or None if no table has it."""
    if namespace in WHY_NO_MODULE:
        return WHY_NO_MODULE[namespace]
    rows = UNSUPPORTED.get(namespace, {}) | REMOVED.get(namespace, {})
    return next((why for why, names in rows.items() if name in names.split()), None)


def refused_name(namespace: str, name: str) -> str | None:
    """Return the name of Keras that is not supported, as Keras spells it; None if it is none.

    Args:
        namespace: Module below `keras`, such as `"optimizers"`.
        name: The name in any case, with or without underlines.
    """
    wanted = name.replace("_", "").lower()
    known = " ".join(UNSUPPORTED.get(namespace, {}).values()).split()
    return next((each for each in known if each.replace("_", "").lower() == wanted), None)


def refuse(namespace: str, name: str) -> NoReturn:
    """Say why a name is not supported.

    Raises:
        ValueError: Always.
    """
    path = f"{namespace}.{name}".lstrip(".")
    raise ValueError(f"`{path}` is not supported: {reason_for(namespace, name)}.")


@cache
def refusing_object(namespace: str, name: str) -> Any:
    """Return what stands for a name that is not supported.

    Args:
        namespace: Module below `keras`, such as `"layers"`.
        name: Name of a class or function in it.

    Returns:
        A class or function, by the first letter, that raises ValueError when it is called.
    """

    def refuse_call(*args: Any, **kwargs: Any) -> NoReturn:
        refuse(namespace, name)

    told = {
        "__doc__": f"Not supported: {reason_for(namespace, name)}.",
        "__module__": f"fastrnn.{namespace}".rstrip("."),
    }
    if name[0].isupper():
        return type(name, (), {**told, "__new__": refuse_call})
    for key, value in {**told, "__name__": name, "__qualname__": name}.items():
        setattr(refuse_call, key, value)
    return refuse_call
