"""RTP as packets: in, out, their feedback and their timing."""
