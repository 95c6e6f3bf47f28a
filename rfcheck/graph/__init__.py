"""From a module to a graph of its operators."""
