"""The figures that the two papers print, to stand beside measured ones; never a bar.

2017: "Image super resolution using generative adversarial networks and local saliency maps for
retinal image analysis", tables 1 and 2.
2025: "Super-resolution image generation for diabetic retinopathy detection by SRGAN", table 2.
"""

from retina_viewer.quality.tables import Record

TABLE_1: tuple[Record, ...] = (
    {"method": "saliency-gan", "scale": 4, "ssim": 0.89, "rmse": 6.2, "psnr": 44.3, "s3": 0.83},
    {"method": "srgan", "scale": 4, "ssim": 0.78, "rmse": 8.1, "psnr": 36.4, "s3": 0.65},
    {"method": "srcnn", "scale": 4, "ssim": 0.75, "rmse": 9.1, "psnr": 34.3, "s3": 0.61},
    {"method": "sr-forest", "scale": 4, "ssim": 0.71, "rmse": 10.3, "psnr": 30.2, "s3": 0.57},
    {"method": "ssr", "scale": 4, "ssim": 0.67, "rmse": 11.2, "psnr": 27.1, "s3": 0.54},
    {"method": "saliency-gan", "scale": 8, "ssim": 0.84, "rmse": 7.5, "psnr": 39.0, "s3": 0.74},
    {"method": "srgan", "scale": 8, "ssim": 0.73, "rmse": 9.3, "psnr": 31.0, "s3": 0.60},
    {"method": "srcnn", "scale": 8, "ssim": 0.67, "rmse": 10.9, "psnr": 28.0, "s3": 0.57},
    {"method": "sr-forest", "scale": 8, "ssim": 0.62, "rmse": 12.3, "psnr": 25.0, "s3": 0.55},
    {"method": "ssr", "scale": 8, "ssim": 0.60, "rmse": 13.7, "psnr": 22.0, "s3": 0.21},
    {"method": "saliency-gan", "scale": 16, "ssim": 0.80},
    {"method": "srgan", "scale": 16, "ssim": 0.69},
    {"method": "srcnn", "scale": 16, "ssim": 0.64},
    {"method": "sr-forest", "scale": 16, "ssim": 0.59},
    {"method": "ssr", "scale": 16, "ssim": 0.56},
)
"""2017, table 1; RMSE as printed, in units of 1e-6."""

TABLE_2: tuple[Record, ...] = tuple(
    {"dataset": dataset, "method": method, "accuracy": accuracy, "sensitivity": sensitivity}
    for dataset, cells in {
        "DRIVE": ((0.98, 0.79), (0.96, 0.77), (0.92, 0.74), (0.89, 0.73), (0.87, 0.70),
                  (0.85, 0.69)),
        "STARE": ((0.98, 0.90), (0.96, 0.87), (0.91, 0.84), (0.89, 0.81), (0.86, 0.77),
                  (0.83, 0.72)),
        "CHASE_DB1": ((0.97, 0.84), (0.95, 0.82), (0.91, 0.76), (0.87, 0.72), (0.85, 0.70),
                      (0.81, 0.68)),
    }.items()
    for method, (accuracy, sensitivity) in zip(
        ("original", "saliency-gan", "srgan", "srcnn", "sr-forest", "ssr"), cells, strict=True
    )
)  # fmt: skip
"""2017, table 2: one figure for x4 and x8 together."""

TABLE_2025: Record = {
    "method": "srgan-vgg19", "scale": 4, "psnr": 43.0, "ssim": 0.93, "precision": 0.965,
    "sensitivity": 0.913, "dice": 0.937,
}  # fmt: skip
"""2025, table 2; its recall and F1 under the names that they have here."""


def rmse_of_psnr(psnr: float) -> float:
    """The RMSE that a PSNR implies, as a share of full scale."""
    return float(10.0 ** (-psnr / 20.0))
