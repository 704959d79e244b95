"""One step per release that changed a table; a desk brings its database up to date when it opens it."""
