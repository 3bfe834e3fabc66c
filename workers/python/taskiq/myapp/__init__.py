"""An application of the kind that has Taskiq workers already."""
