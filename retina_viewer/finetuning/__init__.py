"""What a clinic does with its own photographs: intake, patients, plan, run folder, models."""
