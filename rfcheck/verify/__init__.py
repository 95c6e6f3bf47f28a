"""Train a model, measure saturation and probes, and judge each prediction; behind the extra ``verify``."""
