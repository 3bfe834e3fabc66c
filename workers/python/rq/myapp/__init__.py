"""An application of the kind that has RQ workers already."""
