use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::limits;
use crate::rest::openapi;
use crate::testing::{Control, route, service, site};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|i| i["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn without_the_token_everything_but_health_and_signing_is_refused() {
    let control = Control::start().await;
    let paths = [
        (GET, "/v1/sites"),
        (POST, "/v1/apply"),
        (GET, "/status"),
        (GET, "/openapi.json"),
        (GET, "/nowhere"),
    ];
    for (method, path) in paths {
        for authorization in [None, Some("Bearer wrong"), Some("Basic YTpi")] {
            let (status, body) = control.call_as(authorization, method.clone(), path, None).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {authorization:?}");
            assert_eq!(body["code"], "unauthenticated");
        }
    }
    assert_eq!(control.call_as(None, GET, "/healthz", None).await.0, StatusCode::OK);
    let (status, body) = control.call_as(None, POST, "/v1/sign", Some(json!({"csr": "x"}))).await;
    assert_eq!((status, body["field"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("csr")));
}

#[tokio::test]
async fn a_resource_is_created_read_changed_and_deleted() {
    let control = Control::start().await;
    let (status, created) = control.call(POST, "/v1/sites", Some(site("fra", 1000))).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    assert_eq!(created["metadata"]["resourceVersion"], "1");
    assert_eq!(control.call(POST, "/v1/sites", Some(site("fra", 1000))).await.0, StatusCode::CONFLICT);
    let (status, read) = control.call(GET, "/v1/sites/fra", None).await;
    assert_eq!((status, &read["spec"]), (StatusCode::OK, &created["spec"]));
    // What was read can be sent back as it is, changed.
    let mut changed = read.clone();
    changed["spec"]["gateway"]["port"] = json!(1500);
    let (status, applied) = control.call(PUT, "/v1/sites/fra", Some(changed.clone())).await;
    assert_eq!((status, &applied["spec"]["gateway"]["port"]), (StatusCode::OK, &json!(1500)));
    let (status, stale) = control.call(PUT, "/v1/sites/fra", Some(changed)).await;
    assert_eq!((status, &stale["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    assert_eq!(control.call(DELETE, "/v1/sites/fra", None).await.0, StatusCode::OK);
    assert_eq!(control.call(GET, "/v1/sites/fra", None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(control.call(DELETE, "/v1/sites/fra", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn refusals_name_the_code_the_field_and_the_resource() {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000)]).await;
    let mut bad_port = site("ber", 2000);
    bad_port["spec"]["gateway"]["port"] = json!("high");
    let cases = [
        (POST, "/v1/sites", Some(bad_port), 422, "invalid", "spec.gateway.port", "Site/ber"),
        (POST, "/v1/sites", Some(service("cart", &[])), 422, "invalid", "kind", ""),
        (PUT, "/v1/sites/ber", Some(site("iad", 1)), 422, "invalid", "metadata.name", ""),
        (
            POST,
            "/v1/httproutes",
            Some(route("shop", "cart")),
            422,
            "invalid",
            "spec.rules[0].backendRefs[0].name",
            "HTTPRoute/shop",
        ),
        (
            POST,
            "/v1/services",
            Some(service("cart", &["nrt"])),
            422,
            "invalid",
            "spec.instances[0].site",
            "Service/cart",
        ),
        (GET, "/v1/sites?colour=red", None, 400, "badRequest", "", ""),
        (POST, "/v1/sites", None, 400, "badRequest", "", ""),
        (GET, "/v1/towns", None, 404, "notFound", "", ""),
        (POST, "/status", None, 405, "methodNotAllowed", "", ""),
        (GET, "/v1/sites?watch=true&resourceVersion=99", None, 410, "gone", "", ""),
    ];
    for (method, path, body, status, code, field, object) in cases {
        let (found, failure) = control.call(method, path, body).await;
        assert_eq!(found.as_u16(), status, "{path}: {failure}");
        assert_eq!(failure["code"], code, "{path}: {failure}");
        assert_eq!(failure["field"].as_str().unwrap_or_default(), field, "{path}: {failure}");
        assert_eq!(failure["object"].as_str().unwrap_or_default(), object, "{path}: {failure}");
    }
    let (_, list) = control.call(GET, "/v1/sites", None).await;
    assert_eq!(names(&list), ["fra"], "nothing refused was kept");
}

#[tokio::test]
async fn a_batch_is_applied_in_any_order_and_as_a_whole() {
    let control = Control::start().await;
    let answer = control.apply(&[route("shop", "cart"), service("cart", &["fra"]), site("fra", 1000)]).await;
    assert_eq!(answer["revision"], 1);
    let again = control.apply(&[site("fra", 1000), service("cart", &["fra"]), site("ber", 2000)]).await;
    let outcomes: Vec<_> = again["items"].as_array().unwrap().iter().map(|i| &i["outcome"]).collect();
    assert_eq!(outcomes, ["unchanged", "unchanged", "created"]);
    let half = json!({"items": [site("iad", 3000), service("till", &["nrt"])]});
    let (status, failure) = control.call(POST, "/v1/apply", Some(half)).await;
    assert_eq!(
        (status, failure["object"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("Service/till"))
    );
    let twice = json!({"items": [site("iad", 3000), site("iad", 4000)]});
    let (_, failure) = control.call(POST, "/v1/apply", Some(twice)).await;
    assert_eq!(failure["field"], "metadata.name");
    let dry = json!({"items": [site("iad", 3000)]});
    let (_, answer) = control.call(POST, "/v1/apply?dryRun=true", Some(dry)).await;
    assert_eq!(answer["items"][0]["outcome"], "created");
    let (_, list) = control.call(GET, "/v1/sites", None).await;
    assert_eq!(names(&list), ["ber", "fra"]);
}

#[tokio::test]
async fn what_is_in_use_is_deleted_only_together_with_its_users() {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000), service("cart", &["fra"]), route("shop", "cart")]).await;
    let (status, failure) = control.call(DELETE, "/v1/services/cart", None).await;
    assert_eq!((status, failure["object"].as_str()), (StatusCode::CONFLICT, Some("Service/cart")));
    assert!(failure["message"].as_str().unwrap().contains("HTTPRoute/shop"), "{failure}");
    let both = json!({"items": [{"kind": "Service", "name": "cart"}, {"kind": "HTTPRoute", "name": "shop"}]});
    let (status, answer) = control.call(POST, "/v1/delete", Some(both)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(names(&control.call(GET, "/v1/services", None).await.1), [""; 0]);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let control = Control::start().await;
    let sites: Vec<_> = (0..5).map(|i| site(&format!("s{i}"), 1000 + 2 * i)).collect();
    control.apply(&sites).await;
    let (_, first) = control.call(GET, "/v1/sites?limit=3", None).await;
    assert_eq!(names(&first), ["s0", "s1", "s2"]);
    assert_eq!(first["kind"], "SiteList");
    let next = format!("/v1/sites?limit=3&continue={}", first["metadata"]["continue"].as_str().unwrap());
    let (_, second) = control.call(GET, &next, None).await;
    assert_eq!(names(&second), ["s3", "s4"]);
    assert!(second["metadata"]["continue"].is_null());
}

#[tokio::test]
async fn a_watch_tells_changes_of_its_kind_as_they_happen() {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000)]).await;
    let authorization = format!("Bearer {}", control.token);
    let path = "/v1/sites?watch=true&resourceVersion=0";
    let response = control.send(Some(&authorization), GET, path, Default::default()).await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let mut body = response.into_body();
    control.apply(&[service("cart", &["fra"])]).await;
    control.apply(&[site("fra", 1500)]).await;
    let mut text = String::new();
    while text.lines().count() < 2 {
        let frame = body.frame().await.expect("more lines").unwrap().into_data().unwrap();
        text.push_str(std::str::from_utf8(&frame).unwrap());
    }
    let seen: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["type"].clone(), line["revision"].clone(), line["object"]["kind"].clone()))
        .collect();
    let expected = [("ADDED", 1), ("MODIFIED", 3)];
    assert_eq!(seen, expected.map(|(of, at)| (json!(of), json!(at), json!("Site"))));
}

#[tokio::test]
async fn a_join_tokens_secret_is_shown_once() {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000)]).await;
    let token = json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken",
        "metadata": {"name": "first"}, "spec": {"site": "fra", "ttl": "5m"}});
    let (status, created) = control.call(POST, "/v1/jointokens", Some(token.clone())).await;
    assert_eq!(status, StatusCode::CREATED);
    let secret = created["status"]["secret"].as_str().expect("shown").to_string();
    let (_, read) = control.call(GET, "/v1/jointokens/first", None).await;
    assert!(read["status"]["secret"].is_null() && read["status"]["expiresAt"].is_string(), "{read}");
    let again = control.apply(std::slice::from_ref(&token)).await;
    assert_eq!(again["items"][0]["outcome"], "unchanged");
    assert!(again["items"][0]["object"]["status"]["secret"].is_null());
    let mut longer = token;
    longer["spec"]["ttl"] = json!("10m");
    let (status, _) = control.call(PUT, "/v1/jointokens/first", Some(longer)).await;
    assert_eq!(status, StatusCode::CONFLICT, "a token cannot be made to live longer");
    let mut found = false;
    for entry in std::fs::read_dir(control.directory.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        found |= path.is_file()
            && std::fs::read(&path).unwrap().windows(secret.len()).any(|w| w == secret.as_bytes());
    }
    assert!(!found, "the secret is on disk");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let control = Control::start().await;
    let authorization = format!("Bearer {}", control.token);
    let body = vec![b' '; limits::REQUEST_BODY_BYTES_MAX + 1];
    let response = control.send(Some(&authorization), POST, "/v1/apply", body.into()).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// After a wanted change: `UPDATE_GOLDEN=1 cargo test -p control-api openapi`.
#[tokio::test]
async fn the_openapi_document_is_served_and_is_the_one_in_the_repository() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let text = format!("{:#}\n", openapi::document());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(path).expect("openapi.json is in the repository");
    assert!(
        golden == text,
        "the interface changed; if it was meant, set UPDATE_GOLDEN=1 and look at the diff"
    );
    let control = Control::start().await;
    let (status, served) = control.call(GET, "/openapi.json", None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(served, serde_json::from_str::<Value>(&golden).unwrap());
}

#[test]
fn every_reference_in_the_openapi_document_leads_somewhere() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    found.push(target.clone());
                }
                fields.values().for_each(|v| walk(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, found)),
            _ => {}
        }
    }
    let document = openapi::document();
    let mut references = Vec::new();
    walk(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("inside the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
