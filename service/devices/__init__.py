"""Queues, memory and names of the devices that windows run on."""
