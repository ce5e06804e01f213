"""Several enlargements of one photograph, at the same place."""
