//! Requests that we forward and both others refuse, with the reason why that is right.

use harness::strict::Request;

/// The reason, if there is one, for a request as its client wrote it.
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
        |request| has_authority_then_query(&request.target),
    ),
];

const KNOWN_METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

/// `scheme://authority?query`.
fn has_authority_then_query(target: &str) -> bool {
    let Some((scheme, rest)) = target.split_once("://") else { return false };
    !scheme.contains(['/', '?'])
        && rest.find(['/', '?']).is_some_and(|end| end > 0 && rest[end..].starts_with('?'))
}

#[test]
fn only_an_absolute_form_has_its_query_right_behind_its_authority() {
    let is = |target| has_authority_then_query(target);
    assert!(is("http://a.test?q=1") && is("HTTPS://a.test:80?"));
    assert!(!is("/?q=1") && !is("/a://b?c") && !is("?x://b?c"), "an origin form");
    assert!(
        !is("http://a.test/?q=1") && !is("http://a.test") && !is("http://?q"),
        "a path, no query, no authority"
    );
}
