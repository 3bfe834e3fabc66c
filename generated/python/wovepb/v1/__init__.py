"""Messages of the wire package wove.v1."""
