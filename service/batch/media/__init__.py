"""Files as they lie on disk: images, codecs, colours, boxes; what reading and writing share."""
