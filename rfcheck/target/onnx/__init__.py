"""ONNX files: read as a listing of steps, without running any of their authors' code."""
