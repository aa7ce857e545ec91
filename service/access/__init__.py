"""Who may connect, and how much one client may ask for."""
