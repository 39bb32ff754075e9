//! Bad resources through `tombolo apply`, `tombolo validate` and REST, against a mesh under load.
//!
//! One rule: a file with one bad document changes nothing, whatever else stands in it.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use harness::client;
use harness::load::{Load, Running};
use harness::{wait, workspace};
use serde_json::{Value, json};

use super::control::ask;
use super::refusal::{Case, case, one_error, refused, says, spoilt};
use crate::mesh::{Mesh, SITES, route};

const PATIENCE: Duration = Duration::from_secs(30);

/// All that is in use, as a file; but the route differs.
fn good(mesh: &Mesh) -> String {
    let kept = |kind: &str, name: &str| {
        let output = mesh.tombolo(&["get", kind, name, "-o", "json"]);
        let mut document: Value = serde_json::from_slice(&output.stdout).expect("get prints JSON");
        let document = document.as_object_mut().expect("a document");
        document.remove("status");
        document.insert("metadata".to_owned(), json!({ "name": name }));
        serde_saphyr::to_string(&document).expect("JSON is YAML")
    };
    let sites = SITES.map(|site| kept("sites", site)).join("---\n");
    format!("{sites}---\n{}---\n{}", kept("services", "shop"), route("half"))
}

/// Stands for the port of the first site's gateway.
const PORT: &str = "PORT";

/// What is no YAML, which is said before the control API is asked.
const UNREADABLE: [Case; 3] = [
    case("parentRefs: [", "parentRefs: [[", &["line ", "column "]),
    case("  rules:", "\trules:", &["line ", "tabs disallowed"]),
    case("  rules:", "  parentRefs: []\n  rules:", &["line ", "the key \"parentRefs\" is given twice"]),
];

/// What the control API refuses.
const REFUSED: [Case; 12] = [
    // Unknown fields.
    case("meshPort:", "meshport:", &["spec.gateway.meshport: unknown field `meshport`", "`meshPort`"]),
    case("  rules:", "  rulez:", &["spec.rulez: unknown field: accepted are hostnames, parentRefs, rules"]),
    case(
        "spec:\n  parentRefs",
        "specs: {}\nspec:\n  parentRefs",
        &["specs: unknown field: accepted are apiVersion"],
    ),
    case(
        "path: { type",
        "path: { typ: x, type",
        &["spec.rules[0].matches[0].path.typ: unknown field: accepted are type, value"],
    ),
    // Wrong types and values.
    case(
        PORT,
        "many",
        &["spec.gateway.port: invalid type: string \"many\": accepted is a whole number from 0 to 65535"],
    ),
    case(
        PORT,
        "98765",
        &["spec.gateway.port: invalid value: integer `98765`: accepted is a whole number from 0 to 65535"],
    ),
    case("rules:\n", "rules: all\n  x:\n", &["spec.rules: invalid type: string \"all\": accepted is a list"]),
    case(
        "kind: Service",
        "kind: Servise",
        &["kind: \"Servise\" is not known: accepted are Site, Service, HTTPRoute"],
    ),
    case("name: all", "name: All", &["metadata.name: \"All\" is not a DNS"]),
    case("metadata: { name: all }", "metadata: {}", &["metadata: missing field `name`"]),
    // References to nothing.
    case(
        "backendRefs: [{ name: shop }]",
        "backendRefs: [{ name: nowhere }]",
        &[
            "HTTPRoute/all: spec.rules[0].backendRefs[0].name: there is no Service \"nowhere\": there are shop",
        ],
    ),
    case(
        "parentRefs: [{ name: mesh }]",
        "parentRefs: [{ name: mars }]",
        &["HTTPRoute/all: spec.parentRefs[0].name: there is no Site \"mars\": there are "],
    ),
];

fn everything(mesh: &Mesh) -> Value {
    let output = mesh.tombolo(&["get", "all", "-o", "json"]);
    serde_json::from_slice(&output.stdout).expect("get prints JSON")
}

/// What was wanted, without what became of it.
fn wanted(mesh: &Mesh) -> Value {
    let mut all = everything(mesh);
    for item in all["items"].as_array_mut().into_iter().flatten() {
        item.as_object_mut().map(|item| item.remove("status"));
    }
    all
}

fn load(mesh: &Mesh) -> Running {
    let load = Load { pause: Duration::from_millis(5), ..Load::get(mesh.gateway(0), "any", "/") };
    Load { connections: 2, time_max: Duration::from_secs(180), ..load }.start()
}

fn all_answered(load: Running) {
    let report = load.finish();
    println!("bad resources: {} requests meanwhile, {} not answered 2xx", report.requests(), report.not_ok());
    assert!(report.requests() > 20, "too little load to tell");
    assert_eq!((report.not_ok(), report.reconnects), (0, 0), "{:?} {:?}", report.statuses, report.reasons);
}

#[test]
fn a_file_with_a_bad_document_changes_nothing() {
    let mesh = Mesh::start();
    let load = load(&mesh);
    let (good, before) = (good(&mesh), wanted(&mesh));
    let revision = mesh.status().expect("the control API answers")["revision"].clone();
    let port = mesh.gateway(0).port().to_string();
    let unreadable = UNREADABLE.iter().map(|case| (1, case));
    for (code, Case { from, to, said }) in unreadable.chain(REFUSED.iter().map(|case| (3, case))) {
        let from = if *from == PORT { &port } else { *from };
        let text = spoilt(&good, from, to);
        let file = workspace::write(mesh.dir.path(), "bad.yaml", &text);
        let file = file.to_string_lossy();
        let output = mesh.tombolo(&["apply", "-f", &file]);
        let line = one_error(&String::from_utf8_lossy(&output.stderr));
        assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{line}");
        says(&line, said);
        let line = refused("tombolo", &["validate", &file], 1);
        says(&line, &[&*file]);
        says(&line, said);
        assert_eq!(wanted(&mesh), before, "{to}");
    }
    let status = mesh.status().expect("the control API answers");
    assert_eq!(status["revision"], revision, "a refused file made a revision");
    assert!(
        status["proxies"].as_array().into_iter().flatten().all(|proxy| proxy["current"] == true),
        "{status}"
    );
    let answer = client::get(mesh.gateway(0), "any", "/").expect("the gateway answers");
    assert_eq!(answer.header("x-mark"), Some("shop"));
    all_answered(load);
    mesh.apply(&good);
    let answer = client::get(mesh.gateway(0), "any", "/").expect("the gateway answers");
    assert_eq!(answer.header("x-mark"), Some("half"), "the good file was to be taken");
}

#[test]
fn rest_refuses_what_is_bad_with_its_place_and_changes_nothing() {
    let mesh = Mesh::start();
    let load = load(&mesh);
    let before = wanted(&mesh);
    let context = std::fs::read_to_string(mesh.dir.path().join("state/context.json")).expect("up leaves one");
    let context: Value = serde_json::from_str(&context).expect("it is JSON");
    let server = context["server"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
    let rest: SocketAddr = server.parse().expect("an address");
    let token =
        std::fs::read_to_string(context["token_file"].as_str().expect("a path")).expect("it is there");
    let service = |name: &str| {
        json!({ "apiVersion": "tombolo.dev/v1alpha1", "kind": "Service",
        "metadata": { "name": name }, "spec": { "protocol": "http", "instances": [] } })
    };
    let twice = json!({ "items": [service("new"), service("new")] }).to_string();
    let nameless =
        json!({ "items": [service("new"), { "kind": "Service", "apiVersion": "tombolo.dev/v1alpha1",
        "metadata": {}, "spec": { "protocol": "http" } }] })
        .to_string();
    let key_twice = service("new").to_string().replacen("\"spec\":", "\"kind\":\"Site\",\"spec\":", 1);
    let (shop, new) = (service("shop").to_string(), service("new").to_string());
    let cases: [(&str, &str, &str, u16, &[&str]); 9] = [
        ("POST", "/v1/apply", "{\"items\": [", 400, &["the body cannot be read as JSON: EOF", "line 1"]),
        ("POST", "/v1/services", &key_twice, 400, &["the key \\\"kind\\\" is given twice at line 1"]),
        (
            "POST",
            "/v1/apply",
            &twice,
            422,
            &["Service/new", "metadata.name", "document 2 of the request is the second"],
        ),
        ("POST", "/v1/apply", &nameless, 422, &["items[1].metadata", "missing field `name`"]),
        ("POST", "/v1/services", &shop, 409, &["Service/shop", "exists already"]),
        ("PUT", "/v1/services/other", &new, 422, &["metadata.name", "is not the name in the path", "other"]),
        ("POST", "/v1/sites", &new, 422, &["\"field\":\"kind\"", "accepted is Site"]),
        ("POST", "/v1/services?dryrun=true", &new, 400, &["dryrun"]),
        ("DELETE", "/v1/services/shop", "", 409, &["Service/shop", "is still in use by HTTPRoute/all"]),
    ];
    for (method, path, body, status, said) in cases {
        let (found, answer) = ask(rest, &token, method, path, body);
        assert_eq!(found, status, "{method} {path}: {answer}");
        says(&answer.to_string(), said);
        assert_eq!(wanted(&mesh), before, "{method} {path}");
    }
    let (status, _) = ask(rest, "not the token", "POST", "/v1/services", &new);
    assert_eq!(status, 401);
    assert_eq!(wanted(&mesh), before);
    all_answered(load);
}

/// The control API cannot know that a port is taken at a site; its proxy can.
#[test]
fn what_a_proxy_refuses_is_shown_at_the_resource_and_the_proxy_serves_on() {
    let mesh = Mesh::start();
    let load = load(&mesh);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let output = mesh.tombolo(&["get", "sites", SITES[0], "-o", "json"]);
    let mut site: Value = serde_json::from_slice(&output.stdout).expect("get prints JSON");
    site.as_object_mut().map(|site| site.remove("status"));
    site["metadata"] = json!({ "name": SITES[0] });
    let before = site.to_string();
    site["spec"]["gateway"]["port"] = json!(taken.local_addr().expect("it is bound").port());
    let file = workspace::write(mesh.dir.path(), "taken.yaml", &site.to_string());
    assert!(mesh.tombolo(&["apply", "-f", &file.to_string_lossy()]).status.success());

    let shown = || mesh.tombolo(&["get", "sites", SITES[0], "-o", "wide"]).stdout;
    let shown = || String::from_utf8_lossy(&shown()).into_owned();
    let refusal = wait::until("the refusal to be shown", PATIENCE, || {
        let text = shown();
        text.lines().find(|line| line.starts_with("Site/")).map(str::to_owned).ok_or(text.clone())
    });
    says(
        &refusal,
        &[&format!("Site/{} refused by ", SITES[0]), "address 127.0.0.1:", &port, "in use", "port_value"],
    );
    let status = mesh.status().expect("the control API answers");
    let here = |site: &&Value| site["name"] == SITES[0];
    let current =
        status["sites"].as_array().into_iter().flatten().find(here).map(|site| site["current"].clone());
    assert_eq!(current, Some(json!(false)), "{status}");
    let answer = client::get(mesh.gateway(0), "any", "/").expect("the old address still serves");
    assert_eq!((answer.status, answer.header("x-mark")), (200, Some("shop")));

    mesh.apply(&before);
    wait::until("the refusal to be gone", PATIENCE, || match shown() {
        text if text.contains("refused by") => Err(text),
        _ => Ok(()),
    });
    all_answered(load);
}
