"""The pages of the training wizard, one decision each."""
