//! One configuration with a listener and a cluster for each lane, put together from those of the scenarios.

use std::path::PathBuf;

use super::lane::Lane;
use crate::contestant::configuration::{self, Place};
use crate::process::folder::Folder;

/// Writes it.
pub fn write(lanes: &[Lane], admin: u16, folder: &Folder) -> Result<PathBuf, String> {
    let (mut head, mut listeners, mut clusters) = (String::new(), String::new(), String::new());
    for lane in lanes {
        let ends = lane.variant.setup.proxies();
        let [ends] = ends.as_slice() else {
            return Err(format!("{} needs more than one proxy", lane.scenario));
        };
        let place = Place {
            listen: lane.listen,
            admin,
            endpoints: lane.backends.to_vec(),
            ends: *ends,
            conditions: lane.variant.setup.conditions.clone(),
        };
        let file = configuration::write("envoy.yaml", &place, folder)?;
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let parts = text.split_once("  listeners:\n").and_then(|(first, rest)| {
            let (listener, cluster) = rest.split_once("  clusters:\n")?;
            Some((first, listener, cluster))
        });
        let (first, listener, cluster) =
            parts.ok_or("envoy.yaml has no listeners followed by clusters".to_owned())?;
        first.clone_into(&mut head);
        listeners += &named(listener, lane);
        clusters += &named(cluster, lane);
    }
    folder.write("soak.yaml", &format!("{head}  listeners:\n{listeners}  clusters:\n{clusters}"))
}

/// Gives listener and cluster the lane's name.
fn named(part: &str, lane: &Lane) -> String {
    part.replace("name: front", &format!("name: front-{}", lane.scenario))
        .replace("stat_prefix: front", &format!("stat_prefix: front-{}", lane.scenario))
        .replace("cluster: backend", &format!("cluster: backend-{}", lane.scenario))
        .replace("name: backend", &format!("name: backend-{}", lane.scenario))
}
