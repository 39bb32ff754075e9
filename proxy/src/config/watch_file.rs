//! Resources in files (`path_config_source`): read at start and whenever the file is replaced.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use xds::file::FileResources;

/// How often a file is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a file holds now, or why it cannot be read.
#[derive(Debug)]
pub(super) struct FileRead {
    pub(super) path: String,
    pub(super) content: Result<FileResources, String>,
}

/// A file that is being watched; the watch ends when dropped.
#[derive(Debug)]
pub(super) struct WatchedFile(AbortHandle);

impl Drop for WatchedFile {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl WatchedFile {
    /// Watches `path` and hands every version of it to `reads`.
    pub(super) fn start(path: String, reads: mpsc::Sender<FileRead>) -> Self {
        let task = tokio::spawn(async move {
            let mut seen = None;
            loop {
                let stamp = stamp(&path).await;
                if seen != Some(stamp) {
                    seen = Some(stamp);
                    let content = read(path.clone()).await;
                    if reads.send(FileRead { path: path.clone(), content }).await.is_err() {
                        return;
                    }
                }
                tokio::time::sleep(INTERVAL).await;
            }
        });
        Self(task.abort_handle())
    }
}

async fn stamp(path: &str) -> Option<(SystemTime, u64)> {
    let metadata = tokio::fs::metadata(path).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

async fn read(path: String) -> Result<FileResources, String> {
    let file = PathBuf::from(&path);
    let text = tokio::fs::read_to_string(file).await.map_err(|error| format!("{path}: {error}"))?;
    // Loading the descriptors takes tens of milliseconds: not on the background runtime's own thread.
    let parsed = tokio::task::spawn_blocking(move || xds::file::resources_from_yaml(&text)).await;
    match parsed {
        Ok(Ok(resources)) => Ok(resources),
        Ok(Err(error)) => Err(format!("{path}: {error}")),
        Err(error) => Err(format!("{path}: {error}")),
    }
}
