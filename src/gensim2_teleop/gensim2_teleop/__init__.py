"""A person as the one who acts: drives the arm by twists, and judges what came of it."""
