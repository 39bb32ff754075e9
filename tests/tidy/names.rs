//! Who may say which name: the wire, the swap, the environment, runtimes, and hyper.
//!
//! One rule: a name that opens a door (to the network, to other threads, to the machine) is said in few places.

use crate::finding::{Finding, assert_none};
use crate::imports::{Named, named_paths};
use crate::tree::{Kind, Source, sources};

/// A set of names, and where they may be said.
struct Rule {
    what: &'static str,
    forbidden: fn(&Named) -> bool,
    allowed: fn(&Source) -> bool,
    accepted: &'static str,
}

#[test]
fn only_config_names_the_xds_wire() {
    hold(&Rule {
        what: "the xDS wire",
        forbidden: |named| named.starts_with(&["xds", "wire"]),
        allowed: |source| source.package != "proxy" || source.top() == Some("config"),
        accepted: "only proxy::config names it in the data plane",
    });
}

#[test]
fn only_snapshot_cluster_identity_and_runtime_name_the_swap() {
    hold(&Rule {
        what: "arc_swap",
        forbidden: |named| named.starts_with(&["arc_swap"]),
        allowed: |source| {
            let module = source.module_name();
            source.package == "proxy"
                && (matches!(source.top(), Some("snapshot" | "identity" | "runtime"))
                    || module.starts_with("upstream::cluster"))
        },
        accepted: "only proxy's snapshot, upstream::cluster, identity and runtime swap",
    });
}

#[test]
fn only_cli_and_boot_read_the_environment() {
    hold(&Rule {
        what: "the environment",
        forbidden: |named| named.starts_with(&["std", "env"]) || named.starts_with(&["env", "var"]),
        allowed: is_a_program,
        accepted: "only cli and proxy::boot read it; pass the value in",
    });
}

#[test]
fn only_cli_and_boot_build_runtimes() {
    hold(&Rule {
        what: "a runtime",
        forbidden: builds_runtime,
        allowed: is_a_program,
        accepted: "only cli and proxy::boot build runtimes; every task has an owner there",
    });
}

#[test]
fn nothing_that_decides_names_hyper() {
    hold(&Rule {
        what: "hyper",
        forbidden: |named| named.starts_with(&["hyper"]) || named.starts_with(&["hyper_util"]),
        allowed: |source| {
            source.package != "proxy" || !matches!(source.top(), Some("exchange" | "policy" | "snapshot"))
        },
        accepted: "the request path sees our own Body and head types, never a codec's",
    });
}

/// The places that own a process: commands, `boot`, build scripts, examples, and what only tests and measures.
fn is_a_program(source: &Source) -> bool {
    matches!(source.package.as_str(), "cli" | "bench" | "tests" | "fuzz")
        || matches!(source.kind, Kind::BuildScript | Kind::Binary | Kind::Test)
        || (source.package == "proxy" && source.top() == Some("boot"))
}

fn builds_runtime(named: &Named) -> bool {
    const BUILDERS: &[&str] = &["Builder", "Runtime", "LocalRuntime"];
    let in_runtime =
        named.segments.windows(2).any(|two| two[0] == "runtime" && BUILDERS.contains(&two[1].as_str()));
    in_runtime || named.starts_with(&["Runtime", "new"]) || named.starts_with(&["tokio", "main"])
}

fn hold(rule: &Rule) {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| !source.test && !(rule.allowed)(source)) {
        for named in named_paths(source).iter().filter(|named| !named.test && (rule.forbidden)(named)) {
            let message = format!("`{}` names {}: {}", named.text(), rule.what, rule.accepted);
            findings.push(Finding::new(&source.path, named.line, message));
        }
    }
    assert_none(findings);
}
