"""What crossing a process boundary takes: pickles, failures as data, version checks."""
