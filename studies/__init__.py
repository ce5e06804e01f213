"""What made the product and proves it; ``python -m studies NAME``. No part of the wheel."""

NAMES = {
    "evaluate sr": "superres:Superres",
    "evaluate tables": "all_tables:Tables",
    "evaluate fidelity": "fidelity:FidelitySweep",
    "evaluate consistency": "consistency:Consistency",
    "evaluate recovery": "vessel_recovery:VesselRecovery",
    "evaluate lesions": "lesions:LesionContrast",
    "evaluate saliency": "saliency_lesions:SaliencyOfLesions",
    "evaluate formation": "formation:FormationReading",
    "evaluate vessels": "vessels:Vessels",
    "train": "train:RecipeTraining",
    "record": "card_figures:Recording",
    "ablations": "ablations:Ablations",
    "active_maps": "active_maps:ActiveMaps",
    "architectures": "architectures:Architectures",
    "back_projection": "back_projection:BackProjectionStudy",
    "crops": "crops:Crops",
    "departures": "departures:Departures",
    "field_of_view": "field_of_view:FieldOfViewStudy",
    "fine_tuning_plan": "fine_tuning_plan:FineTuningPlan",
    "keep_discriminator": "keep_discriminator:KeptDiscriminator",
    "peers": "peers:Peers",
    "turns": "turns:Turns",
    "vessel_seeds": "vessel_seeds:VesselSeeds",
}
"""By name on the command line, ``module:class`` of every study."""
