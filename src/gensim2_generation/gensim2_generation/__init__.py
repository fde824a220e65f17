"""Makes new tasks, with a language model or from a grammar, and verifies them by execution."""
