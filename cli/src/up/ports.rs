//! Looks whether the ports of an `up` are free, before anything is started.

use std::net::{SocketAddr, TcpListener};

use super::demo::DemoService;
use super::layout::{Layout, SitePlan};
use crate::failure::Failure;

/// Names the first of the control API's ports that is in use.
pub(super) fn check_ports_of_control(layout: &Layout) -> Result<(), Failure> {
    check_port(layout.rest(), "the control API's REST", "another --base-port")?;
    check_port(layout.discovery(), "the control API's xDS", "another --base-port")
}

/// Names the first of the sites' and services' ports that is in use.
pub(super) fn check_ports(sites: &[SitePlan], services: &[DemoService]) -> Result<(), Failure> {
    let remedy = "another --base-port (demo), or other ports in the Site";
    for site in sites {
        let name = &site.name;
        check_port(site.gateway, &format!("the gateway of {name}"), remedy)?;
        check_port(site.mesh, &format!("the mesh port of {name}"), remedy)?;
        check_port(site.admin, &format!("the admin server of {name}"), remedy)?;
    }
    services.iter().try_for_each(|service| {
        check_port(service.listen, &format!("the demo service {}", service.name), "another --base-port")
    })
}

fn check_port(address: SocketAddr, what: &str, remedy: &str) -> Result<(), Failure> {
    TcpListener::bind(address).map(drop).map_err(|error| {
        let why = format!("{address} for {what} cannot be used: {error}");
        Failure::Failed(format!("{why}; end what listens there, or use {remedy}"))
    })
}
