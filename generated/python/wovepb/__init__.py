"""Generated from proto/wovepb: never edited by hand."""
