"""An application of the kind that has arq workers already."""
