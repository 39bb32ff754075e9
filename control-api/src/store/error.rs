//! What can go wrong with the store, told to whoever must act.
//!
//! One rule: an error means that nothing was changed.

use std::path::PathBuf;

use crate::resource::kind::ObjectRef;
use crate::resource::reference::Misfit;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened at all.
    #[error("cannot open the store {path:?}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Another process has it open.
    #[error("the store {path:?} is in use: another control API runs on this data directory")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file's content is damaged or is no store.
    #[error(
        "the store {path:?} is corrupt: {reason}; restore it from a backup, or move it away to begin with an empty mesh"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "the store {path:?} has schema version {found}, this program knows up to {known}: run the newer program, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The store belongs to another trust domain.
    #[error("the store {path:?} is of trust domain {found:?}, not {asked:?}: a mesh keeps its trust domain")]
    TrustDomain {
        /// The file.
        path: PathBuf,
        /// The trust domain in the file.
        found: String,
        /// The trust domain that was asked for.
        asked: String,
    },
    /// The disk did not take the change.
    #[error("the change was not stored, nothing was changed: {0}")]
    Write(String),
    /// The change does not fit the other resources.
    #[error("{}: {}", .0.object, .0.invalid)]
    Misfit(Misfit),
    /// The resource changed in between, or is not in a state for this.
    #[error("{object}: {message}")]
    Conflict {
        /// The resource.
        object: ObjectRef,
        /// What is in the way.
        message: String,
    },
    /// There is no such resource.
    #[error("there is no {0}")]
    NotFound(ObjectRef),
    /// The history does not go back so far.
    #[error("revision {asked} is no longer kept, the oldest is {oldest}: list again")]
    Gone {
        /// The revision asked for.
        asked: u64,
        /// The oldest from which one can go on.
        oldest: u64,
    },
    /// The secret opens nothing.
    #[error("the join token is not accepted: {0}")]
    Token(&'static str),
}
