"""How much of their feature spaces layers fill."""
