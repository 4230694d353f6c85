"""Which station protocols agree with everything that was published? A reconstruction: no real result of any station."""

from dauys.reconstruction.check import Checked, check
from dauys.reconstruction.figures import Contradiction, Figure, read_figures
from dauys.reconstruction.reconstruct import (
    Correction,
    Reconstruction,
    Stations,
    Turnout,
    rebuild,
    reconstruct,
)
from dauys.reconstruction.settings import Settings, read_settings

__all__ = [
    "Checked",
    "Contradiction",
    "Correction",
    "Figure",
    "Reconstruction",
    "Settings",
    "Stations",
    "Turnout",
    "check",
    "read_figures",
    "read_settings",
    "rebuild",
    "reconstruct",
]
