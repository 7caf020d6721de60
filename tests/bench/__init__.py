"""Measurements against libwebrtc; see README.md."""
