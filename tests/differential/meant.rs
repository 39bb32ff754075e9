//! Requests that we forward and both others refuse, with the reason why that is right.

use harness::strict::Request;

/// The reason, if there is one.
pub fn reason(request: &Request) -> Option<&'static str> {
    REASONS.iter().find(|(_, is_meant)| is_meant(request)).map(|(reason, _)| *reason)
}

type Meant = fn(&Request) -> bool;

const REASONS: &[(&str, Meant)] = &[
    (
        "RFC 9110 §9.1: methods are tokens, case-sensitive and open-ended; a proxy forwards what it does not know",
        |request| !KNOWN_METHODS.contains(&request.method.as_str()),
    ),
    // The others look for a path behind the authority and find a query.
    (
        "RFC 9112 §3.2.1, RFC 9110 §4.2.3: an absolute form without a path asks for /, and its query stays",
        |request| request.target.starts_with("/?"),
    ),
];

const KNOWN_METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];
