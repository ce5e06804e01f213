"""One view: what the person wants and what is there make a picture; the stage shows it."""
