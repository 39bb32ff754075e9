//! Reads the bootstrap: a file, a text laid over it, and the flags that set the node.

use std::fmt;
use std::path::{Path, PathBuf};

use prost::Message as _;
use xds::model::Bootstrap;
use xds::wire::client::machine::Identity;

/// Longest bootstrap accepted, bytes.
const BOOTSTRAP_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Where the bootstrap stands and what the command line adds to it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file.
    pub path: Option<PathBuf>,
    /// Text laid over the file: fields are merged, lists appended, as Envoy's `--config-yaml`.
    pub text: Option<String>,
    /// Sets `node.id`.
    pub service_node: Option<String>,
    /// Sets `node.cluster`.
    pub service_cluster: Option<String>,
    /// Sets `node.locality.zone`.
    pub service_zone: Option<String>,
}

/// A bootstrap, read and checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where it stands, for errors: the file, or the flag.
    pub place: String,
    /// What it means.
    pub model: Bootstrap,
    /// The node as it is sent to control planes.
    pub identity: Identity,
}

/// Why a bootstrap cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrapError(String);

impl fmt::Display for BootstrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BootstrapError {}

/// Reads the bootstrap.
///
/// # Errors
/// Names the file, the place in it, what was found and what is accepted.
pub fn load(sources: &Sources) -> Result<Loaded, BootstrapError> {
    let named = |place: &str, reason: &dyn fmt::Display| BootstrapError(format!("{place}: {reason}"));
    let parse =
        |place: &str, text: &str| xds::file::bootstrap_from_yaml(text).map_err(|error| named(place, &error));
    let file = sources.path.as_deref().map(|path| (path.display().to_string(), read(path)));
    let (place, mut message) = match (file, &sources.text) {
        (None, None) => {
            return Err(BootstrapError("no bootstrap given: -c FILE or --config-yaml TEXT".to_owned()));
        }
        (None, Some(text)) => ("--config-yaml".to_owned(), parse("--config-yaml", text)?),
        (Some((place, text)), overlay) => {
            let mut message = parse(&place, &text.map_err(BootstrapError)?)?;
            if let Some(overlay) = overlay {
                let overlay = parse("--config-yaml", overlay)?.encode_to_vec();
                message.merge(overlay.as_slice()).map_err(|error| named("--config-yaml", &error))?;
            }
            (place, message)
        }
    };
    let mut node = message.node.take().unwrap_or_default();
    if let Some(id) = &sources.service_node {
        node.id.clone_from(id);
    }
    if let Some(cluster) = &sources.service_cluster {
        node.cluster.clone_from(cluster);
    }
    if let Some(zone) = &sources.service_zone {
        node.locality.get_or_insert_default().zone.clone_from(zone);
    }
    message.node = Some(node.clone());
    let model = xds::decode::bootstrap(&message).map_err(|error| named(&place, &error))?;
    node.user_agent_name = "tombolo".to_owned();
    Ok(Loaded { place, model, identity: Identity { node, first_message_only: false } })
}

fn read(path: &Path) -> Result<String, String> {
    let place = path.display();
    let size = std::fs::metadata(path).map_err(|error| format!("{place}: {error}"))?.len();
    if size > BOOTSTRAP_BYTES_MAX {
        return Err(format!("{place}: {size} bytes; at most {BOOTSTRAP_BYTES_MAX} are accepted"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))
}
