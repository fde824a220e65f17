"""Suites of tests that every hardware has to pass."""

import pytest

pytest.register_assert_rewrite("gensim2_control.testing.body_contract")
