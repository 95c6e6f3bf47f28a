"""What measurements say of predictions."""
