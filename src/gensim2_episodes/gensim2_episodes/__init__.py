"""Episode manager, recorder and the crash-safe episode store."""
