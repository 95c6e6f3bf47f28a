"""Logistic regressions on the outputs of layers."""
