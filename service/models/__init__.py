"""Networks of this machine: which there are, adding and removing them, and their version."""
