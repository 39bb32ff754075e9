//! Files that hold secrets.
//!
//! One rule: only the owner can read them, from the moment they exist; and they are whole or absent.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::error::CaError;

/// Writes a file that only the owner can read, in one step.
pub fn write_secret(path: &Path, content: &str) -> Result<(), CaError> {
    write(path, content, 0o600)
}

/// Writes a file that everyone can read, in one step.
pub fn write_public(path: &Path, content: &str) -> Result<(), CaError> {
    write(path, content, 0o644)
}

/// Makes a directory that only the owner can enter.
pub fn make_private_directory(path: &Path) -> Result<(), CaError> {
    let failed = |e: std::io::Error| file_error("make", path, &e);
    fs::create_dir_all(path).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)
}

/// Reads a secret; refuses one that others can read.
pub fn read_secret(path: &Path) -> Result<String, CaError> {
    let metadata = fs::metadata(path).map_err(|e| file_error("read", path, &e))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CaError::Exposed { path: path.to_path_buf(), mode });
    }
    read(path)
}

/// Reads a file.
pub fn read(path: &Path) -> Result<String, CaError> {
    fs::read_to_string(path).map_err(|e| file_error("read", path, &e))
}

fn write(path: &Path, content: &str, mode: u32) -> Result<(), CaError> {
    let failed = |e: std::io::Error| file_error("write", path, &e);
    // A full disk is no reason to fail when there is nothing to write.
    if fs::read_to_string(path).is_ok_and(|there| there == content) && has_mode(path, mode) {
        return Ok(());
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    // A leftover of a crash may have other permissions.
    match fs::remove_file(temporary) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    let written = write_whole(temporary, content, mode).and_then(|()| fs::rename(temporary, path));
    written.map_err(|error| {
        // Half a file is of no use to anybody.
        let _it_says_enough_already = fs::remove_file(temporary);
        failed(error)
    })?;
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::File::open(directory).and_then(|d| d.sync_all()).map_err(failed)
}

fn write_whole(path: &Path, content: &str, mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn has_mode(path: &Path, mode: u32) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o777 == mode)
}

fn file_error(action: &'static str, path: &Path, error: &std::io::Error) -> CaError {
    CaError::File { action, path: path.to_path_buf(), reason: error.to_string() }
}
