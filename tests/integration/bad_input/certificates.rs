//! Client certificates that an mTLS listener must not take: real handshakes, the good one before and after each.

use std::io;
use std::time::Duration;

use harness::certs::{Authority, Identity, Validity, uri};
use harness::client::Connection;
use harness::message::Request;

use super::proxy::Running;

const LOGGED: Duration = Duration::from_secs(10);

/// Shakes hands and asks; a refusal may come at either (TLS 1.3 tells the client after its side is done).
fn ask(running: &Running, identity: Option<&Identity>) -> io::Result<u16> {
    let config = running.authority.client_config(identity, &["http/1.1"]);
    let mut connection = Connection::open_tls(running.secured, "server.test", config)?;
    Ok(connection.send(&Request::new("GET", "one.test", "/"))?.status)
}

#[test]
fn certificates_that_are_expired_or_of_another_domain_are_refused_and_the_good_one_serves() {
    let mut running = Running::start();
    let foreign = Authority::new("other.example");
    let ours = &running.authority;
    let good = ours.spiffe("client");
    let cases = [
        (
            "expired",
            ours.issue(vec![uri("spiffe://mesh.example/client")], Validity::Expired),
            "invalid peer certificate: Expired",
        ),
        (
            "of another trust domain, by our root",
            ours.issue(vec![uri("spiffe://other.example/client")], Validity::Current),
            "spiffe://other.example/client is of an unknown trust domain; known: mesh.example",
        ),
        (
            "of another trust domain",
            foreign.spiffe("client"),
            "spiffe://other.example/client is of an unknown trust domain; known: mesh.example",
        ),
        (
            "of our trust domain, by another root",
            foreign.issue(vec![uri("spiffe://mesh.example/client")], Validity::Current),
            "UnknownIssuer",
        ),
        (
            "without a SPIFFE ID",
            ours.dns(&["client.test"]),
            "the certificate has no URI in its subject alternative",
        ),
    ];
    assert_eq!(ask(&running, Some(&good)).expect("the good certificate is taken"), 200);
    // A connection that is open while others are refused.
    let config = running.authority.client_config(Some(&good), &["http/1.1"]);
    let mut kept = Connection::open_tls(running.secured, "server.test", config).expect("it is taken");
    for (what, identity, reason) in cases {
        let refused = ask(&running, Some(&identity));
        assert!(refused.is_err(), "a certificate {what} was let in: {refused:?}");
        let logged =
            |log: String| log.lines().any(|line| line.contains("no TLS connection") && line.contains(reason));
        running.process.wait_until(&format!("telling of one {what}"), LOGGED, |process| {
            if logged(process.log()) { Ok(()) } else { Err(format!("no line with {reason:?}")) }
        });
        assert_eq!(ask(&running, Some(&good)).expect("the good certificate is still taken"), 200);
        let again = kept.send(&Request::new("GET", "one.test", "/")).expect("an open connection stays");
        assert_eq!(again.status, 200);
    }
    assert!(ask(&running, None).is_err(), "a client without a certificate was let in");
    assert_eq!(ask(&running, Some(&good)).expect("the good certificate is still taken"), 200);
    // Five of a kind, one without, and the one that looked whether it accepts.
    let errors = format!("listener.127.0.0.1_{}.ssl.connection_error: 7", running.secured.port());
    let stats = running.admin("/stats").text();
    assert!(stats.contains(&errors), "no {errors} in {stats}");
    running.answers();
}
