"""What is remembered between windows, in bounded memory."""
