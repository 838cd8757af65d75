"""Everything that butler_core raises on purpose.

The tree::

    ButlerError
    ├── ConfigError                     (ValueError)
    ├── RepositoryError
    │   ├── RepositoryNotFoundError     (FileNotFoundError)
    │   ├── RepositoryExistsError       (FileExistsError)
    │   ├── ReadOnlyRepositoryError     (PermissionError)
    │   ├── SchemaVersionError          (RuntimeError)
    │   ├── CredentialsError            (PermissionError)
    │   ├── DatabaseUnreachableError    (ConnectionError)
    │   └── DatabaseBusyError           (TimeoutError)
    ├── DimensionError
    │   ├── UnknownDimensionError       (LookupError)
    │   ├── DataIdError                 (ValueError)
    │   ├── MissingRecordError          (LookupError)
    │   └── RecordConflictError         (ValueError)
    ├── CollectionError
    │   ├── UnknownCollectionError      (LookupError)
    │   ├── CollectionTypeError         (TypeError)
    │   ├── CollectionExistsError       (ValueError)
    │   ├── CollectionCycleError        (ValueError)
    │   ├── CollectionInUseError        (ValueError)
    │   └── NoCollectionsError          (ValueError)
    ├── DatasetTypeError
    │   ├── UnknownDatasetTypeError     (LookupError)
    │   ├── DatasetTypeConflictError    (ValueError)
    │   └── DatasetTypeInUseError       (ValueError)
    ├── DatasetError
    │   ├── DatasetNotFoundError        (LookupError)
    │   ├── DatasetExistsError          (FileExistsError)
    │   └── AmbiguousDatasetError       (LookupError)
    ├── ValidityConflictError           (ValueError)
    ├── QueryError
    │   ├── ExpressionSyntaxError       (ValueError)
    │   ├── UnknownNameError            (LookupError)
    │   └── ExpressionTypeError         (TypeError)
    ├── StorageError
    │   ├── UnknownStorageClassError    (LookupError)
    │   ├── UnknownFormatterError       (LookupError)
    │   ├── StorageClassMismatchError   (TypeError)
    │   ├── ReadFileError               (OSError)
    │   ├── WriteFileError              (OSError)
    │   ├── ParameterError              (ValueError)
    │   ├── PathTemplateError           (ValueError)
    │   └── TransferError               (ValueError)
    ├── CameraError
    │   ├── UnknownCameraError          (LookupError)
    │   ├── CameraFileError             (ValueError)
    │   ├── HeaderError                 (ValueError)
    │   └── RawFileError                (OSError)
    ├── IngestError                     (ValueError)
    ├── ExportFileError                 (ValueError)
    ├── MissingPackageError             (ImportError)
    ├── RegionError                     (ValueError)
    └── TimespanError                   (ValueError)

A message says what was asked, what was found, and what to do. Command-line
programs print it alone; the traceback is shown with ``--debug``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ButlerError(Exception):
    """Root of everything that butler_core raises on purpose."""


class ConfigError(ButlerError, ValueError):
    """A configuration file or value cannot be used."""


class RepositoryError(ButlerError):
    """A data repository cannot be opened, made or written."""


class RepositoryNotFoundError(RepositoryError, FileNotFoundError):
    """There is no data repository at the place named."""


class RepositoryExistsError(RepositoryError, FileExistsError):
    """There is a data repository already where one was to be made."""


class ReadOnlyRepositoryError(RepositoryError, PermissionError):
    """A change was asked of a repository that is open for reading only."""


class SchemaVersionError(RepositoryError, RuntimeError):
    """The repository's tables are of another version or of another program."""


class CredentialsError(RepositoryError, PermissionError):
    """The file of credentials for database servers cannot be used."""


class DatabaseUnreachableError(RepositoryError, ConnectionError):
    """The server of a registry's database does not answer, or does not let us in."""


class DatabaseBusyError(RepositoryError, TimeoutError):
    """Another process held the database for longer than we wait."""


class DimensionError(ButlerError):
    """Something about dimensions, data IDs or their records is wrong."""


class UnknownDimensionError(DimensionError, LookupError):
    """The dimension universe has no element of this name."""


class DataIdError(DimensionError, ValueError):
    """A data ID lacks a value, has one too many, or one of the wrong type."""


class MissingRecordError(DimensionError, LookupError):
    """A data ID names something the repository has no dimension record of."""


class RecordConflictError(DimensionError, ValueError):
    """A dimension record differs from the one stored under the same key."""


class CollectionError(ButlerError):
    """Something about collections is wrong."""


class UnknownCollectionError(CollectionError, LookupError):
    """The repository has no collection of this name."""


class CollectionTypeError(CollectionError, TypeError):
    """The collection exists, but is not of the type that was needed."""


class CollectionExistsError(CollectionError, ValueError):
    """The collection exists already."""


class CollectionCycleError(CollectionError, ValueError):
    """A chain would contain itself."""


class CollectionInUseError(CollectionError, ValueError):
    """The collection cannot go while a chain still names it."""


class NoCollectionsError(CollectionError, ValueError):
    """A search was asked with no collection to search."""


class DatasetTypeError(ButlerError):
    """Something about dataset types is wrong."""


class UnknownDatasetTypeError(DatasetTypeError, LookupError):
    """The repository has no dataset type of this name."""


class DatasetTypeConflictError(DatasetTypeError, ValueError):
    """The dataset type is registered with another definition."""


class DatasetTypeInUseError(DatasetTypeError, ValueError):
    """The dataset type cannot go while datasets of it exist."""


class DatasetError(ButlerError):
    """Something about one dataset or some datasets is wrong."""


class DatasetNotFoundError(DatasetError, LookupError):
    """No dataset of this type and data ID is in the collections searched."""


class DatasetExistsError(DatasetError, FileExistsError):
    """The run holds a dataset of this type and data ID already."""


class AmbiguousDatasetError(DatasetError, LookupError):
    """More than one dataset answers where one was asked for."""


class ValidityConflictError(ButlerError, ValueError):
    """A validity range overlaps one certified before for the same data ID."""


class QueryError(ButlerError):
    """A query cannot be understood or answered."""


class ExpressionSyntaxError(QueryError, ValueError):
    """A ``where`` or ``order_by`` text does not follow the grammar."""


class UnknownNameError(QueryError, LookupError):
    """A query names a dimension, field or bind value that does not exist."""


class ExpressionTypeError(QueryError, TypeError):
    """The two sides of an operator cannot go together."""


class StorageError(ButlerError):
    """A dataset's bytes cannot be written, found or read."""


class UnknownStorageClassError(StorageError, LookupError):
    """There is no storage class of this name."""


class UnknownFormatterError(StorageError, LookupError):
    """There is no formatter of this name, or none for this storage class."""


class StorageClassMismatchError(StorageError, TypeError):
    """A Python object is not of the type its storage class asks for."""


class ReadFileError(StorageError, OSError):
    """A file is not there, is broken, or is not what its formatter reads."""


class WriteFileError(StorageError, OSError):
    """A file could not be written."""


class ParameterError(StorageError, ValueError):
    """A read parameter or component is unknown or cannot be honoured."""


class PathTemplateError(StorageError, ValueError):
    """A path template cannot be parsed or filled."""


class TransferError(StorageError, ValueError):
    """A file cannot be brought into the datastore in the way asked."""


class CameraError(ButlerError):
    """Something about an instrument or its raw files is wrong."""


class UnknownCameraError(CameraError, LookupError):
    """No instrument is known by this name."""


class CameraFileError(CameraError, ValueError):
    """An instrument's YAML file is not as it should be."""


class HeaderError(CameraError, ValueError):
    """A header lacks what is needed, or holds what cannot be."""


class RawFileError(CameraError, OSError):
    """A raw file is broken or is not of the instrument's layout."""


class IngestError(ButlerError, ValueError):
    """Files could not be taken in; the message lists them."""


class ExportFileError(ButlerError, ValueError):
    """An export file cannot be read."""


class MissingPackageError(ButlerError, ImportError):
    """An optional package that was asked for is not installed."""


class RegionError(ButlerError, ValueError):
    """A shape on the sphere cannot be made or decoded."""


class TimespanError(ButlerError, ValueError):
    """A time interval cannot be made."""


def near_misses(name: str, choices: Iterable[str]) -> str:
    """Say which known names look like the one given.

    Parameters
    ----------
    name
        What was asked for.
    choices
        What there is.

    Returns
    -------
    str
        ``" Did you mean 'a' or 'b'?"`` with its leading space, or an empty
        string if nothing looks alike.
    """
    by_folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=3, cutoff=0.6)
    if not close:
        return ""
    return f" Did you mean {' or '.join(repr(by_folded[key]) for key in close)}?"
