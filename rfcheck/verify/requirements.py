"""The packages of the extra ``verify``."""

from __future__ import annotations

import importlib.util

from rfcheck.errors import VerifyError

PACKAGES = {
    "accelerate": "accelerate",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tensorboard": "tensorboard",
    "threadpoolctl": "threadpoolctl",
    "tomli_w": "tomli-w",
}
"""Names to import, and names to install."""


def require_packages() -> None:
    """Refuse to start without what a verification needs.

    Raises:
        VerifyError: naming what is missing and how to install it.
    """
    missing = [package for name, package in PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise VerifyError(f"rfcheck verify needs {', '.join(missing)}, which {are} not installed: pip install 'rfcheck[verify]'")
