"""What is measured per region, and pixels shared out among regions."""
