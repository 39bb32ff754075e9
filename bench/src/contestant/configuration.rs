//! What a contestant reads: the template of `bench/peers/`, filled in for one proxy of a variant.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::template;
use crate::process::folder::Folder;
use crate::work::scenario::folder;
use crate::work::setup::Ends;

/// Routes of the condition `routes`; the last one matches.
const ROUTES: usize = 1000;

/// Where one proxy listens and where it sends to.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where it listens.
    pub listen: u16,
    /// Where its admin interface listens, if it has one.
    pub admin: u16,
    /// Its endpoints: two backends, or the next proxy.
    pub endpoints: Vec<u16>,
    /// What it speaks.
    pub ends: Ends,
    /// More conditions of the template.
    pub conditions: Vec<String>,
}

/// Fills in a template and writes it into the folder under a name of its own.
pub fn write(template: &str, place: &Place, dir: &Folder) -> Result<PathBuf, String> {
    let source = folder().join("peers").join(template);
    let text = std::fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
    let mut conditions = place.ends.conditions();
    conditions.extend(place.conditions.iter().map(String::as_str));
    let [first, rest @ ..] = place.endpoints.as_slice() else {
        return Err("a proxy needs an endpoint".to_owned());
    };
    if !rest.is_empty() {
        conditions.push("two-endpoints");
    }
    if is_root() {
        conditions.push("root");
    }
    let routes = if place.conditions.iter().any(|condition| condition == "routes") {
        routes(template, dir)?
    } else {
        String::new()
    };
    let values = [
        ("LISTEN_PORT", place.listen.to_string()),
        ("ADMIN_PORT", place.admin.to_string()),
        ("BACKEND_A", first.to_string()),
        ("BACKEND_B", rest.first().unwrap_or(first).to_string()),
        ("DIR", dir.path().display().to_string()),
        ("ROUTES", routes),
    ];
    let filled = template::fill(&text, &conditions, &values)
        .map_err(|reason| format!("{}: {reason}", source.display()))?;
    dir.write(&format!("{}-{template}", place.listen), &filled)
}

/// The routes before the last in a peer's words. HAProxy has a tree for that in a file of its own, so it gets one.
fn routes(template: &str, dir: &Folder) -> Result<String, String> {
    let mut text = String::new();
    for number in 0..ROUTES - 1 {
        let line = match template {
            "envoy.yaml" => format!(
                "              - {{ match: {{ prefix: \"/service-{number}/\" }}, route: {{ cluster: backend }} }}"
            ),
            "nginx.conf" => format!("    location /service-{number}/ {{ proxy_pass http://backend; }}"),
            _ => format!("/service-{number}/ backend"),
        };
        writeln!(text, "{line}").expect("a string takes everything");
    }
    if template == "haproxy.cfg" {
        let last = format!("/service-{}/ backend\n", ROUTES - 1);
        dir.write("routes.map", &(text + &last))?;
        return Ok(String::new());
    }
    Ok(text.trim_end().to_owned())
}

/// nginx started by root changes its user unless told not to, and then cannot write into our folder.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}
