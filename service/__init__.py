"""The GPU side: moves frames between hosts and the model, and does no maths of its own."""
