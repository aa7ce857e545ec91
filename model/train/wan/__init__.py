"""Training for Wan 2.1: a LoRA of the transformer in three stages, and a smaller codec."""
