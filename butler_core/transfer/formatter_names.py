"""The names by which daf_butler knows the formatters of files that we wrote."""

from __future__ import annotations

_OURS = "butler_core.formatters."
_BUTLER = "lsst.daf.butler.formatters."
_OBS_BASE = "lsst.obs.base.formatters."

# Files of one of our formatters that a formatter of daf_butler or obs_base reads, too.
_NAMES = {
    f"{_OURS}json.JsonFormatter": f"{_BUTLER}json.JsonFormatter",
    f"{_OURS}yaml.YamlFormatter": f"{_BUTLER}yaml.YamlFormatter",
    f"{_OURS}parquet.ParquetFormatter": f"{_BUTLER}parquet.ParquetFormatter",
    f"{_OURS}ecsv.EcsvFormatter": f"{_BUTLER}astropyTable.AstropyTableFormatter",
    f"{_OURS}pickle.PickleFormatter": f"{_BUTLER}pickle.PickleFormatter",
    f"{_OURS}plot.PlotFormatter": f"{_BUTLER}matplotlib.MatplotlibFormatter",
    f"{_OURS}fits_image.FitsImageFormatter": f"{_OBS_BASE}fitsExposure.FitsExposureFormatter",
    f"{_OURS}fits_generic.FitsGenericFormatter": f"{_OBS_BASE}fitsGeneric.FitsGenericFormatter",
    f"{_OURS}fits_table.FitsTableFormatter": f"{_OBS_BASE}fitsGeneric.FitsGenericFormatter",
}

# By the first letters of a storage class, where it decides; the longest stands first.
_BY_STORAGE_CLASS = {
    "ButlerLogRecords": f"{_BUTLER}logs.ButlerLogRecordsFormatter",
    "Packages": f"{_BUTLER}packages.PackagesFormatter",
    "MaskedImage": f"{_OBS_BASE}fitsExposure.FitsMaskedImageFormatter",
    "Image": f"{_OBS_BASE}fitsExposure.FitsImageFormatter",
    "Mask": f"{_OBS_BASE}fitsExposure.FitsMaskFormatter",
}
# Storage classes whose files are ours alone: the peer has another format for them.
_OURS_ALONE = frozenset({"Config", "ArrowSchema", "ArrowColumnList"})


def exported_formatter(formatter: str, storage_class: str) -> str:
    """Return the name of a formatter as an export file has it.

    Parameters
    ----------
    formatter
        Dotted name, as recorded with a file; one that is not ours stays.
    storage_class
        Name of what the file holds.

    Returns
    -------
    str
        The peer's name where it has a formatter for such files; the name
        given otherwise, which the peer can only use if our package is
        installed beside it.
    """
    if formatter not in _NAMES or storage_class in _OURS_ALONE:
        return formatter
    for start, name in _BY_STORAGE_CLASS.items():
        if storage_class.startswith(start):
            return name
    return _NAMES[formatter]
