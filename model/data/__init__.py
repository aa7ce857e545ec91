"""Training data: media files to windows with holes whose truth is known."""
