"""What to analyse: "model.py:build", "torchvision:resnet18", "package.module:attr" -> models that can be built."""
