"""Models: a card, an architecture and safetensors; listed, verified, loaded. No pickles."""
