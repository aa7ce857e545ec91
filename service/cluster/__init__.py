"""The same windows on the workers of a Ray cluster."""
