//! PROXY protocol headers: what endpoints are told of a client, and what listeners make of what they are told.

use super::table::{Topic, case, say};
use crate::network::story::Step::{Close, Open, Read, Send, Stats};
use crate::network::story::{Case, get};

pub fn topic() -> Topic {
    let cases = [bytes(), requests(), heard(), refused()].concat();
    Topic { name: "proxied", bootstrap: include_str!("proxied.yaml"), cases }
}

const SINKS: [&str; 8] = ["v1", "v2", "v2_added", "v2_all", "v2_some", "v1_tls", "v2_tls", "matched"];

fn bytes() -> Vec<Case> {
    SINKS.iter().map(|listener| case(format!("bytes to {listener}"), say(0, listener, "hello"))).collect()
}

fn requests() -> Vec<Case> {
    let ask = |client: usize, path: &str| vec![Send(client, get(path, &[])), Read(client)];
    let forwarded = |client: usize, path: &str| {
        vec![Send(client, get(path, &[("x-forwarded-for", "203.0.113.7")])), Read(client)]
    };
    let mut cases = Vec::new();
    for path in ["/v1", "/v2", "/v2-added", "/none"] {
        cases.push(case(format!("a request to {path}"), [vec![Open(0, "web")], ask(0, path)].concat()));
        cases.push(case(
            format!("a connection to {path} is its client's"),
            [
                vec![Open(0, "web")],
                ask(0, path),
                ask(0, path),
                vec![Open(1, "web")],
                ask(1, path),
                ask(0, path),
                vec![Close(1), Open(2, "web")],
                ask(2, path),
            ]
            .concat(),
        ));
        for listener in ["web", "web_trusting"] {
            let steps = [vec![Open(0, listener)], forwarded(0, path)].concat();
            cases.push(case(format!("a forwarded request at {listener} to {path}"), steps));
        }
    }
    cases
}

/// A header of version 2 from 192.0.2.1:5555 to 198.51.100.2:443, and what follows it.
fn v2(command: u8, tlvs: &[u8], rest: &str) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, 0x11]);
    header.extend(u16::try_from(12 + tlvs.len()).expect("short").to_be_bytes());
    header.extend([192, 0, 2, 1, 198, 51, 100, 2, 0x15, 0xb3, 1, 187]);
    header.extend(tlvs);
    header.extend(rest.as_bytes());
    header
}

const TLVS: &[u8] = b"\x01\x00\x02h2\x02\x00\x04host\xe0\x00\x01x\x04\x00\x00";

fn heard() -> Vec<Case> {
    let mut cases = Vec::new();
    for listener in ["all_to_all", "some_to_all", "all_to_some", "none_to_all", "all_to_added", "all_to_v1"] {
        for (name, bytes) in [
            ("tlvs", v2(1, TLVS, "hello")),
            ("no tlvs", v2(1, b"", "hello")),
            ("a local command", v2(0, TLVS, "hello")),
            ("half a tlv", v2(1, b"\x01\x00\x09h2", "hello")),
            ("a stray byte", v2(1, b"\x01\x00\x02h2\x01", "hello")),
            ("a line", b"PROXY TCP4 192.0.2.1 198.51.100.2 5555 443\r\nhello".to_vec()),
            ("a line of IPv6", b"PROXY TCP6 2001:db8::1 2001:db8::2 5555 443\r\nhello".to_vec()),
        ] {
            cases.push(case(format!("{name} at {listener}"), [Open(0, listener), Send(0, bytes), Read(0)]));
        }
    }
    cases
}

fn refused() -> Vec<Case> {
    let mut cases = Vec::new();
    for listener in ["no_v1", "no_v2", "no_v1_lax", "no_v2_lax", "lax"] {
        for (name, bytes) in [
            ("a line", b"PROXY TCP4 192.0.2.1 198.51.100.2 5555 443\r\nhello".to_vec()),
            ("a binary header", v2(1, TLVS, "hello")),
            ("no header", b"hello, this is no header at all".to_vec()),
            ("a broken line", b"PROXY TCP4 192.0.2.1\r\nhello".to_vec()),
            ("a broken binary header", v2(2, b"", "hello")),
        ] {
            cases.push(case(format!("{name} at {listener}"), [Open(0, listener), Send(0, bytes), Read(0)]));
        }
    }
    cases.push(case("what came is counted", [Stats("^proxy_proto\\.")]));
    cases
}
