//! Bytes that stand in the configuration, in a file or in the environment: read when they are compiled.

use bytes::Bytes;
use xds::model::DataSource;

use crate::observe::access_log::Environment;

/// The bytes.
///
/// # Errors
/// Why they cannot be had; that a directory is to be followed, which a body is not.
pub(super) fn read(source: &DataSource, environment: &Environment) -> Result<Bytes, String> {
    Ok(match source {
        DataSource::Inline(bytes) => Bytes::copy_from_slice(bytes),
        DataSource::Environment(name) => environment
            .variables
            .get(name)
            .map(|value| Bytes::copy_from_slice(value.as_bytes()))
            .ok_or_else(|| format!("the environment variable {name:?} is not set"))?,
        DataSource::File { path, watched_directory: None } => std::fs::read(path)
            .map(Bytes::from)
            .map_err(|error| format!("the file {path:?} cannot be read: {error}"))?,
        DataSource::File { watched_directory: Some(directory), .. } => {
            return Err(format!("a body is read once; watched_directory {directory:?} cannot be followed"));
        }
    })
}
