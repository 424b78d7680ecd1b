"""What objects look like: colour models."""

from cvseg.appearance.color_model import ColorModel, ColorModelOptions, log_ratio_table

__all__ = ["ColorModel", "ColorModelOptions", "log_ratio_table"]
