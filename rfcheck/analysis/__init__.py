"""From the graph to facts: receptive fields, borders, cost, padding, resolution. Pure functions."""
