"""Graphs of layers: the one engine of Sequential and functional models."""

from fastrnn.graph.executor import Executor, Passed
from fastrnn.graph.graph import Graph
from fastrnn.graph.graph_layer import GraphLayer
from fastrnn.graph.plan import Plan

__all__ = ["Executor", "Graph", "GraphLayer", "Passed", "Plan"]
