"""Executors: they take command frames and give back event frames."""
