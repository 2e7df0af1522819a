"""One file an activity. A new one is added by adding a file: nothing lists them."""
