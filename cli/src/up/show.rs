//! What `up` prints once everything answers.

use std::fmt::Write as _;

use serde_json::json;

use super::child::Children;
use super::demo::DemoService;
use super::layout::{Layout, SitePlan};

/// One line for programs.
pub(super) fn json(layout: &Layout, sites: &[SitePlan], tries: &[Vec<String>]) -> String {
    let sites: Vec<_> = sites
        .iter()
        .zip(tries)
        .map(|(site, tries)| {
            json!({
                "name": site.name,
                "gateway": site.gateway.to_string(),
                "admin": format!("http://{}", site.admin),
                "try": tries,
            })
        })
        .collect();
    json!({ "control": { "url": layout.control_url() }, "sites": sites }).to_string()
}

/// A page for people.
pub(super) fn table(
    layout: &Layout,
    sites: &[SitePlan],
    tries: &[Vec<String>],
    services: &[DemoService],
    children: &Children,
) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(out, "control API  {}", layout.control_url());
    let _ = writeln!(out, "state        {}\n", layout.place());
    let width = sites.iter().map(|site| site.name.len()).max().unwrap_or(0).max(4);
    let _ = writeln!(out, "{:<width$}  {:<21}  {:<21}  ADMIN", "SITE", "GATEWAY", "MESH (mTLS)");
    for site in sites {
        let _ = writeln!(
            out,
            "{:<width$}  {:<21}  {:<21}  http://{}",
            site.name, site.gateway, site.mesh, site.admin
        );
    }
    let _ = writeln!(out, "\ntry");
    for url in tries.iter().flatten() {
        let _ = writeln!(out, "  curl -s {url}");
    }
    failover(&mut out, tries, services, children);
    let _ = writeln!(
        out,
        "\nsee\n  tombolo status\n  tombolo get all -o wide\n\nCtrl-C ends everything; the state stays."
    );
    out
}

/// What to kill to see a failover.
fn failover(out: &mut String, tries: &[Vec<String>], services: &[DemoService], children: &Children) {
    let Some(service) = services.first() else { return };
    let (Some(pid), Some(url)) = (children.pid(&service.name), tries.iter().flatten().last()) else { return };
    let url = tries.first().and_then(|urls| urls.iter().find(|url| url.contains("/shop"))).unwrap_or(url);
    let _ = writeln!(out, "\nsee a failover: end {}, and ask again", service.name);
    let _ = writeln!(
        out,
        "  kill {pid}\n  curl -s {url}    # another site answers; {} was nearest",
        service.site
    );
}
