"""Descriptions of nodes and parameters."""

from .composable_node import ComposableNode
from .parameter_descriptions import Parameter, ParameterFile, ParameterValue

__all__ = ["ComposableNode", "Parameter", "ParameterFile", "ParameterValue"]
