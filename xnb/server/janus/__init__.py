"""The Janus API: the embedded SFU's face, and real Janus processes behind the same rooms."""
