"""What objects look like: colour models."""

from cvseg.appearance.color_model import ColorModel, ColorModelOptions, log_ratio_table
from cvseg.appearance.window_colors import WindowColorOptions, WindowColors, spread_colors

__all__ = ["ColorModel", "ColorModelOptions", "WindowColorOptions", "WindowColors", "log_ratio_table", "spread_colors"]
