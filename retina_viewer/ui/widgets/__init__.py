"""Small widgets without knowledge of photographs."""
