"""One clip from its order to its outputs, so that it can go on later."""
