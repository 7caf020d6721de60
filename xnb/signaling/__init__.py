"""How two sides find each other over HTTP; knows no media."""
