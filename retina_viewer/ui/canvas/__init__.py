"""The picture: panes that paint the photograph, the tiles, the layers and what labels them."""
