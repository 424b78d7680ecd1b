"""Supervoxels: colours, motion, borders and links of superpixels, and the merging of them into a hierarchy."""
