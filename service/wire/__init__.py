"""Frames and headers between the contract's messages and arrays: chunks, slots, plans, results."""
