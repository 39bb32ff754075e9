//! The folder of one run: configurations, certificates, logs.

use std::path::{Path, PathBuf};

/// A folder that is deleted with the value; the guard deletes it when this process ends without.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it below the system's temporary folder.
    pub fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("tombolo-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.0.join(name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be deleted now is temporary all the same.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
