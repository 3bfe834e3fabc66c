"""The worker's side of a run: everything between a payload and its terminal event."""
