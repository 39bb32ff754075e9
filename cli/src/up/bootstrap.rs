//! The bootstrap of a site's proxy: Envoy's format, everything else comes over xDS.

use super::layout::{Layout, SitePlan};
use crate::failure::Failure;

/// The bootstrap with names in place of what differs between sites.
const BOOTSTRAP: &str = include_str!("bootstrap.yaml");

/// Writes the bootstrap of `site`.
pub(super) fn write(layout: &Layout, site: &SitePlan) -> Result<(), Failure> {
    let control = layout.discovery();
    let (region, zone) = &site.locality;
    let text = BOOTSTRAP
        .replace("${name}", &site.name)
        .replace("${region}", region)
        .replace("${zone}", zone)
        .replace("${admin_ip}", &site.admin.ip().to_string())
        .replace("${admin_port}", &site.admin.port().to_string())
        .replace("${control_ip}", &control.ip().to_string())
        .replace("${control_port}", &control.port().to_string());
    let path = layout.bootstrap(&site.name);
    std::fs::write(&path, text).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
}
