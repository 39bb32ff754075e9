//! The demo: three sites, two services at each.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use super::child::Child;
use super::layout::Layout;
use crate::documents;
use crate::failure::Failure;

/// The demo's mesh, with names in place of ports.
const MESH: &str = include_str!("demo.yaml");

/// Its sites in the order of the file.
const SITES: [&str; 3] = ["aws-us-east-1", "gcp-europe-west3", "onprem-fra"];

/// Its services, with the offset of their port among a site's ports.
const SERVICES: [(&str, u16); 2] = [("shop", 3), ("inventory", 4)];

/// One instance of a demo service.
#[derive(Debug)]
pub(super) struct DemoService {
    pub(super) name: String,
    pub(super) site: &'static str,
    pub(super) listen: SocketAddr,
    service: &'static str,
    log: PathBuf,
}

/// The demo's resources with this layout's ports.
pub(super) fn mesh(layout: &Layout) -> Result<Vec<Value>, Failure> {
    let mut text = MESH.to_owned();
    for (index, _) in (0_u16..).zip(SITES) {
        for (name, offset) in [("gateway", 0), ("mesh", 1)].into_iter().chain(SERVICES) {
            let placeholder = format!("${{{name}{index}}}");
            text = text.replace(&placeholder, &layout.site_port(index, offset).to_string());
        }
    }
    documents::parse(&text).map(documents::values).map_err(Failure::Failed)
}

/// The demo's service instances.
pub(super) fn services(layout: &Layout) -> Vec<DemoService> {
    let mut all = Vec::new();
    for (index, site) in (0_u16..).zip(SITES) {
        for (service, offset) in SERVICES {
            all.push(DemoService {
                name: format!("{service} at {site}"),
                site,
                listen: SocketAddr::from(([127, 0, 0, 1], layout.site_port(index, offset))),
                service,
                log: layout.log(&format!("{service}-{site}")),
            });
        }
    }
    all
}

impl DemoService {
    /// The child process.
    pub(super) fn command(&self) -> Result<Child, Failure> {
        let mut child = Child::of_this_program(&self.name, self.log.clone())?;
        child.arg("demo-service").arg("--name").arg(self.service).arg("--site").arg(self.site);
        child.arg("--listen").arg(self.listen.to_string());
        Ok(child)
    }
}
