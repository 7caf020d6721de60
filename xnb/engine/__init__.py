"""aiortc and what is added to it; knows no signaling."""
