"""From masks to labels, and tables of labels: components, overlaps, renumbering, moving a label map."""
