"""What made Retina Viewer and proves it: tables, claims, ablations, speed. Not shipped."""
