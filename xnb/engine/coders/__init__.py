"""Encoders and decoders, opened only while somebody needs frames."""
