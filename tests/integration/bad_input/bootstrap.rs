//! Bootstraps that are refused at start: by serving, by `--mode validate` and by `tombolo validate` alike.

use harness::workspace;

use super::proxy::Running;
use super::refusal::{Case, case, refused, says, spoilt};

const ROUTE: &str = "routes: [{ match: { prefix: / }, route: { cluster: backend } }]";

const CASES: [Case; 21] = [
    // Not YAML.
    case("  clusters:", "  clusters: [", &["line 48, column 3: "]),
    case("  clusters:", "\tclusters:", &["line 47, column ", "tabs disallowed"]),
    case(
        "    type: STATIC",
        "    type: STATIC\n    type: EDS",
        &["line 50, column 5: the key \"type\" is given twice"],
    ),
    // Unknown fields.
    case(
        "stat_prefix: plain",
        "stat_prefixx: plain",
        &[
            "line 13, column 25: ",
            "typed_config.stat_prefixx: ",
            "has no such field; accepted: stat_prefix, ",
        ],
    ),
    case("  clusters:", "  cluster:", &["static_resources.cluster: ", "has no such field; accepted: "]),
    case(
        "filters.http.router.v3.Router",
        "filters.http.router.v3.Rooter",
        &["http_filters[0].typed_config: the @type", "is not known"],
    ),
    // Wrong types and values.
    case(
        "domains: [one.test]",
        "domains: one.test",
        &["virtual_hosts[0].domains: expected a list, found the string"],
    ),
    case("prefix: /", "prefix: [/]", &["match.prefix: expected a string, found a list"]),
    case(
        "type: STATIC",
        "type: 7",
        &["clusters[0].type: expected one of STATIC, STRICT_DNS", "found the number 7"],
    ),
    case(
        "port_value: ",
        "port_value: 9",
        &["address.socket_address.port_value: ", " is not a port; 1 to 65535 are"],
    ),
    case("port_value: ", "port_value: x", &["port_value: expected a whole number", "found the string \"x"]),
    // Names that stand twice.
    case(
        "name: secured",
        "name: plain",
        &["static_resources.listeners[1]: the listener name \"plain\" is used twice"],
    ),
    case(
        "name: spare",
        "name: backend",
        &["static_resources.clusters[1]: the cluster name \"backend\" is used twice"],
    ),
    case("name: two", "name: one", &["virtual_hosts[1]: the virtual host name \"one\" is used twice"]),
    case("[\"*\"]", "[one.test]", &["virtual_hosts[1].domains[0]: the domain one.test is used twice"]),
    // Routes to nowhere.
    case(
        ROUTE,
        "routes: [{ match: { prefix: / }, route: { cluster: nowhere } }]",
        &[
            "listener plain: filter_chains[0].route_config.virtual_hosts[0].routes[0].route: unknown cluster nowhere",
            "known: backend, spare",
        ],
    ),
    case(
        ROUTE,
        "routes: [{ match: { prefix: / }, route: { weighted_clusters: { clusters: [{ name: gone, weight: 1 }] } } }]",
        &["virtual_hosts[0].routes[0].route: unknown cluster gone"],
    ),
    // Certificates.
    case(
        "server.key",
        "other.key",
        &[
            "listener secured: filter_chains[0].transport_socket.common_tls_context.tls_certificates[0]: ",
            "/server.crt: the certificate does not match the private key (",
            "/other.key): give the key",
        ],
    ),
    case("server.crt", "root.key", &["tls_certificates[0]: ", "/root.key: ", "No such file"]),
    case("server.key", "server.crt", &["tls_certificates[0]: ", "/server.crt: no PEM private key"]),
    case("root.crt", "other.key", &["validation_context: ", "/other.key: no PEM certificate"]),
];

#[test]
fn a_bad_bootstrap_is_refused_with_one_line_and_what_runs_keeps_running() {
    let running = Running::start();
    running.authority.spiffe("other").write_to(running.dir.path(), "other");
    for (index, Case { from, to, said }) in CASES.into_iter().enumerate() {
        let text = spoilt(&running.other_bootstrap(), from, to);
        let file = running.file(&format!("bad-{index}.yaml"), &text);
        let file = file.to_string_lossy();
        let line = refused("tombolo-proxy", &["-c", &file, "-l", "info"], 1);
        says(&line, said);
        says(&line, &[&*file]);
        assert_eq!(refused("tombolo-proxy", &["-c", &file, "--mode", "validate"], 1), line);
        assert_eq!(refused("tombolo", &["validate", &file], 1), line);
        running.answers();
    }
}

#[test]
fn a_bootstrap_that_is_not_there_or_not_one_is_named() {
    let dir = workspace::temp_dir();
    let missing = dir.path().join("missing.yaml");
    let missing = missing.to_string_lossy();
    says(&refused("tombolo-proxy", &["-c", &missing], 1), &[&missing, "No such file"]);
    let folder = dir.path().to_string_lossy();
    says(&refused("tombolo-proxy", &["-c", &folder], 1), &[&folder, "directory"]);
    says(&refused("tombolo-proxy", &[], 1), &["no bootstrap given", "-c FILE", "--config-yaml"]);
    for (text, said) in [
        ("", "the text holds no document"),
        ("- a\n", "expected a mapping (envoy.config.bootstrap.v3.Bootstrap), found a list"),
        ("{}\n---\n{}\n", "the text holds 2 documents, one is accepted"),
    ] {
        let file = workspace::write(dir.path(), "odd.yaml", text);
        let file = file.to_string_lossy();
        says(&refused("tombolo-proxy", &["-c", &file], 1), &[&file, said]);
    }
    says(&refused("tombolo-proxy", &["--config-yaml", "a: ["], 1), &["--config-yaml: line 1"]);
    says(
        &refused("tombolo-proxy", &["-l", "loud", "--config-yaml", "{}"], 1),
        &["\"loud\"", "info, warning"],
    );
}
