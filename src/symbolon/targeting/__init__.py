"""Targeting workflows: a graph of activities that is checked, planned and run."""
