//! Where requests come from: internal addresses, fields that say it in place of `x-forwarded-for`, and what is
//! changed before anything else looks.

use harness::message::Request;

use crate::case::{Case, Listener};

const LISTENERS: [(&str, Listener); 4] = [
    ("inside", Listener::Inside),
    ("detect", Listener::Detect),
    ("strict", Listener::Strict),
    ("far", Listener::Far),
];

/// What a client says about itself.
const CLAIMS: [&[(&str, &str)]; 18] = [
    &[],
    &[("x-forwarded-for", "127.0.0.9")],
    &[("x-forwarded-for", "192.168.1.1")],
    &[("x-forwarded-for", "8.8.8.8")],
    &[("x-forwarded-for", "8.8.8.8, 10.0.0.1")],
    &[("x-forwarded-for", "192.168.1.1, 10.0.0.1")],
    &[("x-forwarded-for", "10.0.0.1")],
    &[("x-forwarded-for", "10.0.0.1, 10.0.0.2, 127.0.0.3")],
    &[("x-forwarded-for", "8.8.8.8, nobody, 10.0.0.1")],
    &[("x-forwarded-for", "8.8.8.8"), ("x-forwarded-for", "10.0.0.1")],
    &[("x-real-ip", "192.168.1.1")],
    &[("x-real-ip", "8.8.8.8")],
    &[("x-real-ip", "2001:db8::1")],
    &[("x-real-ip", "8.8.8.8:80")],
    &[("x-real-ip", "nobody")],
    &[("x-real-ip", "192.168.1.1"), ("x-forwarded-for", "8.8.8.8")],
    &[("x-forwarded-proto", "https"), ("x-real-ip", "192.168.1.1")],
    &[("x-forwarded-proto", "http"), ("x-real-ip", "8.8.8.8"), ("x-forwarded-for", "1.1.1.1, 2.2.2.2")],
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, listener) in LISTENERS {
        for claims in CLAIMS {
            let request = with(Request::new("GET", "any.example", "/"), claims)
                .header("x-envoy-max-retries", "1")
                .header("x-envoy-original-url", "http://a/b")
                .header("x-envoy-downstream-service-node", "n")
                .header("x-envoy-internal", "false");
            cases.push(Case::send(format!("origin: {name} {claims:?}"), request).at(listener));
        }
        for claims in [&[][..], &[("x-forwarded-for", "192.168.1.1")], &[("x-real-ip", "192.168.1.1")]] {
            let request = with(Request::new("GET", "tls.example", "/x"), claims);
            cases.push(Case::send(format!("origin: {name} with TLS {claims:?}"), request).at(listener));
        }
    }
    cases.extend(early());
    cases
}

fn early() -> Vec<Case> {
    let get =
        |name: &str, request: Request| Case::send(format!("early: {name}"), request).at(Listener::Inside);
    let plain = || Request::new("GET", "any.example", "/early");
    let failing = || Request::new("GET", "any.example", "/").header("x-backend-do", "status/503");
    vec![
        get("routes see it", plain()),
        get("removed", plain().header("x-gone", "1")),
        get("there already", plain().header("x-forwarded-host", "mine").header("x-early", "mine")),
        get("from outside", plain().header("x-forwarded-for", "8.8.8.8")),
        get("retries are asked for", failing().header("x-retry", "5xx")),
        get("retries are not asked for", failing()),
        get("retries from outside", failing().header("x-retry", "5xx").header("x-forwarded-for", "8.8.8.8")),
    ]
}

fn with(request: Request, fields: &[(&str, &str)]) -> Request {
    fields.iter().fold(request, |request, (name, value)| request.header(name, value))
}
