"""matplotlib figures, without pyplot."""
