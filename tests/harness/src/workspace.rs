//! Where the sources lie, and temporary folders.

use std::path::{Path, PathBuf};

/// The folder of the workspace's `Cargo.toml`: the one cargo runs the test in, or else the one it was compiled in.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().expect("the tests package lies inside the workspace").to_owned()
}

/// A folder that is deleted with the value.
pub fn temp_dir() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("tombolo-test-").tempdir().expect("the temporary folder can be written")
}

/// Writes a file into a folder and returns its path.
pub fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
    path
}
