"""Whether a result is good: metrics, statistics, data sets, calibration, gate and verdict."""
