"""`make demo`: a real pair and a real clip through the plugin's own binary, measured and shown."""
