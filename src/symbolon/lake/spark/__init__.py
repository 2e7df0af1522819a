"""Spark, in this process or on a cluster: the engine when one machine is outgrown."""

from symbolon.lake.spark.engine import SparkEngine

__all__ = ["SparkEngine"]
