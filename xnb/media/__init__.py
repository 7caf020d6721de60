"""Sources and sinks; knows no calls."""
