"""Layers, with the names, arguments and defaults of Keras."""

from fastrnn.layers.activation import Activation
from fastrnn.layers.activity_regularization import ActivityRegularization
from fastrnn.layers.add import Add, add
from fastrnn.layers.alpha_dropout import AlphaDropout
from fastrnn.layers.attention import AdditiveAttention, Attention
from fastrnn.layers.average import Average, average
from fastrnn.layers.average_pooling1d import AveragePooling1D
from fastrnn.layers.batch_normalization import BatchNormalization
from fastrnn.layers.bidirectional import Bidirectional
from fastrnn.layers.concatenate import Concatenate, concatenate
from fastrnn.layers.conv1d import Conv1D
from fastrnn.layers.conv1d_transpose import Conv1DTranspose
from fastrnn.layers.conv2d import Conv2D, Conv3D
from fastrnn.layers.conv_lstm2d import ConvLSTM1D, ConvLSTM2D
from fastrnn.layers.cropping1d import Cropping1D
from fastrnn.layers.dense import Dense
from fastrnn.layers.depthwise_conv1d import DepthwiseConv1D
from fastrnn.layers.dot import Dot, dot
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.elu import ELU
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.flatten import Flatten
from fastrnn.layers.gaussian_dropout import GaussianDropout
from fastrnn.layers.gaussian_noise import GaussianNoise
from fastrnn.layers.global_average_pooling1d import GlobalAveragePooling1D
from fastrnn.layers.global_max_pooling1d import GlobalMaxPooling1D
from fastrnn.layers.group_normalization import GroupNormalization
from fastrnn.layers.gru import GRU, GRUCell
from fastrnn.layers.identity import Identity
from fastrnn.layers.input_layer import Input, InputLayer
from fastrnn.layers.lambda_layer import Lambda
from fastrnn.layers.layer import Layer
from fastrnn.layers.layer_normalization import LayerNormalization
from fastrnn.layers.leaky_relu import LeakyReLU
from fastrnn.layers.lstm import LSTM, LSTMCell
from fastrnn.layers.masking import Masking
from fastrnn.layers.max_pooling1d import MaxPooling1D
from fastrnn.layers.maximum import Maximum, maximum
from fastrnn.layers.minimum import Minimum, minimum
from fastrnn.layers.multi_head_attention import MultiHeadAttention
from fastrnn.layers.multiply import Multiply, multiply
from fastrnn.layers.normalization_layer import Normalization
from fastrnn.layers.permute import Permute
from fastrnn.layers.pooling2d import (
    AveragePooling2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from fastrnn.layers.prelu import PReLU
from fastrnn.layers.relu import ReLU
from fastrnn.layers.repeat_vector import RepeatVector
from fastrnn.layers.rescaling import Rescaling
from fastrnn.layers.reshape import Reshape
from fastrnn.layers.rms_normalization import RMSNormalization
from fastrnn.layers.rnn import RNN
from fastrnn.layers.separable_conv1d import SeparableConv1D
from fastrnn.layers.serialization import deserialize, serialize
from fastrnn.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from fastrnn.layers.softmax import Softmax
from fastrnn.layers.spatial_dropout1d import SpatialDropout1D
from fastrnn.layers.stacked_rnn_cells import StackedRNNCells
from fastrnn.layers.string_lookup import StringLookup
from fastrnn.layers.subtract import Subtract, subtract
from fastrnn.layers.text_vectorization import TextVectorization
from fastrnn.layers.time_distributed import TimeDistributed
from fastrnn.layers.unit_normalization import UnitNormalization
from fastrnn.layers.up_sampling1d import UpSampling1D
from fastrnn.layers.zero_padding1d import ZeroPadding1D

# Keras's other names.
AvgPool1D, MaxPool1D, Convolution1D = AveragePooling1D, MaxPooling1D, Conv1D
GlobalAvgPool1D, GlobalMaxPool1D = GlobalAveragePooling1D, GlobalMaxPooling1D
SeparableConvolution1D, Convolution1DTranspose = SeparableConv1D, Conv1DTranspose
Convolution2D, Convolution3D, MaxPool2D, AvgPool2D = Conv2D, Conv3D, MaxPooling2D, AveragePooling2D
GlobalAvgPool2D, GlobalMaxPool2D = GlobalAveragePooling2D, GlobalMaxPooling2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv3D",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution3D",
    "Cropping1D",
    "Dense",
    "DepthwiseConv1D",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConvolution1D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "ZeroPadding1D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
