"""Files that are written, part by part."""
