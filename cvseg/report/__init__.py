"""What people look at after a run: overlay pictures, the folder of results, the page that sums it up."""
