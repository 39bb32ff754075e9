//! Which crate may depend on which, and which module of `proxy` may import which: the table of the architecture.
//!
//! One rule: what is not in the table is not allowed, and a module without a row is a finding.

use std::path::PathBuf;

use crate::finding::{Finding, assert_none};
use crate::imports::named_paths;
use crate::tree::{Kind, metadata, root, sources};

/// Crates of the workspace that a crate may depend on. `bench` and `tests` use only what a user could use.
const CRATES: &[(&str, &[&str])] = &[
    ("cli", &["proxy", "control-api", "xds"]),
    ("proxy", &["xds"]),
    ("control-api", &["xds"]),
    ("xds", &[]),
    ("bench", &[]),
    ("tests", &[]),
];

/// Modules of `proxy` that a module may import, besides its own files.
const MODULES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("drain", &[]),
    ("limits", &[]),
    ("fields", &[]),
    ("clock", &[]),
    ("runtime", &["limits"]),
    ("standing", &[]),
    ("splice", &["limits", "clock"]),
    ("body", &["error", "limits", "fields", "splice"]),
    ("observe", &["error", "limits", "fields", "clock", "runtime"]),
    ("codec", &["error", "limits", "fields", "clock", "splice", "body"]),
    ("identity", &["error", "drain", "limits", "observe"]),
    (
        "upstream",
        &[
            "error", "drain", "limits", "fields", "clock", "runtime", "splice", "body", "codec", "observe",
            "identity",
        ],
    ),
    ("policy", &["error", "limits", "fields", "runtime", "standing", "body", "observe", "upstream"]),
    ("snapshot", &["error", "limits", "fields", "runtime", "observe", "identity", "upstream", "policy"]),
    (
        "exchange",
        &["error", "limits", "fields", "clock", "runtime", "splice", "body", "observe", "upstream", "policy"],
    ),
    (
        "downstream",
        &[
            "error", "drain", "limits", "fields", "clock", "splice", "body", "codec", "observe", "identity",
            "snapshot", "exchange",
        ],
    ),
    ("config", &["error", "drain", "runtime", "observe", "identity", "snapshot"]),
    ("admin", &["error", "drain", "limits", "runtime", "standing", "observe", "identity", "snapshot"]),
    (
        "boot",
        &[
            "error",
            "drain",
            "limits",
            "fields",
            "clock",
            "runtime",
            "standing",
            "body",
            "observe",
            "codec",
            "identity",
            "upstream",
            "policy",
            "snapshot",
            "exchange",
            "downstream",
            "config",
            "admin",
        ],
    ),
];

#[test]
fn crates_depend_only_along_their_arrows() {
    let ours: Vec<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    let mut findings = Vec::new();
    for package in &metadata().packages {
        let manifest = manifest_path(package);
        let Some((_, allowed)) = CRATES.iter().find(|(name, _)| *name == package.name.as_str()) else {
            findings.push(Finding::new(
                &manifest,
                1,
                format!("crate `{}` has no row in the table", package.name),
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            if ours.contains(&name) && !allowed.contains(&name) {
                let message = format!("`{}` may not depend on `{name}`; it may on {allowed:?}", package.name);
                findings.push(Finding::new(&manifest, line_naming(&manifest, name), message));
            }
        }
    }
    assert_none(findings);
}

#[test]
fn modules_of_the_proxy_import_only_along_their_arrows() {
    let mut findings = Vec::new();
    let library = sources().iter().filter(|source| source.package == "proxy" && source.kind == Kind::Library);
    for source in library {
        let Some(from) = source.top() else { continue };
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == from) else {
            findings.push(Finding::new(&source.path, 1, format!("module `{from}` has no row in the table")));
            continue;
        };
        for named in named_paths(source) {
            let Some(to) = named.inside().and_then(|path| path.first()) else { continue };
            let known = MODULES.iter().any(|(name, _)| name == to);
            if known && !named.test && to != from && !allowed.contains(&to.as_str()) {
                let message =
                    format!("`{from}` may not import `{}`; it may import {allowed:?}", named.text());
                findings.push(Finding::new(&source.path, named.line, message));
            }
        }
    }
    assert_none(findings);
}

fn manifest_path(package: &cargo_metadata::Package) -> PathBuf {
    let path = package.manifest_path.as_std_path();
    path.strip_prefix(root()).expect("members lie inside the workspace").to_owned()
}

fn line_naming(manifest: &std::path::Path, name: &str) -> usize {
    let text = std::fs::read_to_string(root().join(manifest)).expect("cargo has read this manifest");
    text.lines().position(|line| line.trim_start().starts_with(name)).map_or(1, |index| index + 1)
}
