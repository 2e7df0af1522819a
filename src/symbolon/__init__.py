"""Symbolon: an open, self-hosted audience exchange."""
