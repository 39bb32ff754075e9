//! Chains of network filters: limits in front, server names that are clusters, answers without an upstream.

use std::time::Duration;

use super::table::{Topic, case, say};
use crate::network::story::Step::{Close, End, Open, Quiet, Read, Runtime, Send, Stats, Wait};
use crate::network::story::{Case, get};

pub fn topic() -> Topic {
    let cases = [open(), paced(), names(), answers()].concat();
    Topic { name: "chains", bootstrap: include_str!("chains.yaml"), cases }
}

fn open() -> Vec<Case> {
    let third = [say(0, "limited", "a"), say(1, "limited", "b"), vec![Open(2, "limited"), Read(2)]].concat();
    let again = [third.clone(), vec![Close(0)], say(3, "limited", "d")].concat();
    let counted = [third.clone(), vec![Stats("connection_limit\\.two")]].concat();
    let off = [
        vec![Runtime("limits.off=false")],
        say(0, "turned_off", "a"),
        say(1, "turned_off", "b"),
        vec![Runtime("limits.off=")],
    ]
    .concat();
    vec![
        case("the third of two is closed", third),
        case("a place is given back", again),
        case("who is over the limit is counted", counted),
        case("a limit that is switched off by a runtime value", off),
        case(
            "who is refused is kept for a while",
            [
                say(0, "delayed", "a"),
                vec![Open(1, "delayed"), Quiet(1), Send(1, b"b".into()), Quiet(1), Read(1)],
            ]
            .concat(),
        ),
        case(
            "who is refused counts while it is kept",
            [
                say(0, "delayed", "a"),
                vec![Open(1, "delayed"), Quiet(1), Close(0), Open(2, "delayed"), Quiet(2), Read(1), Read(2)],
                say(3, "delayed", "d"),
                vec![Stats("connection_limit\\.slow")],
            ]
            .concat(),
        ),
        case(
            "who is refused and leaves counts all the same",
            [
                say(0, "delayed", "a"),
                vec![Open(1, "delayed"), Quiet(1), Close(1), Close(0)],
                say(2, "delayed", "c"),
            ]
            .concat(),
        ),
        case(
            "off by a static runtime value",
            [say(0, "switched", "a"), say(1, "switched", "b"), vec![Stats("connection_limit\\.switched")]]
                .concat(),
        ),
        case(
            "on by a runtime value",
            [
                vec![Runtime("limits.on=true")],
                say(0, "turned_on", "a"),
                say(1, "turned_on", "b"),
                vec![Runtime("limits.on="), Stats("connection_limit\\.turned_on.limited")],
            ]
            .concat(),
        ),
    ]
}

fn paced() -> Vec<Case> {
    let mut cases: Vec<Case> =
        (1..=5).map(|turn| case(format!("connection {turn} of three"), say(0, "paced", "x"))).collect();
    for listener in ["zero", "worded", "numeral", "odd"] {
        for turn in 1..=3 {
            cases.push(case(format!("{listener} switch, {turn}"), say(0, listener, "x")));
        }
    }
    for (turn, listener) in [
        "shared_one",
        "shared_two",
        "shared_other",
        "shared_one",
        "shared_two",
        "shared_other",
        "shared_other",
    ]
    .into_iter()
    .enumerate()
    {
        cases.push(case(format!("a bucket under a key, {turn}: {listener}"), say(0, listener, "x")));
    }
    cases.push(case(
        "the first limit that refuses is the last",
        [
            say(0, "both", "a"),
            say(1, "both", "b"),
            vec![Close(0)],
            say(2, "both", "c"),
            vec![Close(2)],
            say(3, "both", "d"),
        ]
        .concat(),
    ));
    cases.push(case(
        "before HTTP",
        [
            vec![
                Open(0, "paced_http"),
                Send(0, get("/", &[])),
                Read(0),
                Send(0, get("/again", &[])),
                Read(0),
            ],
            vec![Open(1, "paced_http"), Send(1, get("/", &[])), Read(1), Close(0)],
            vec![Open(2, "paced_http"), Send(2, get("/", &[])), Read(2)],
        ]
        .concat(),
    ));
    cases.push(case("all that were over a rate are counted", [Stats("^local_rate_limit\\.")]));
    cases.push(case("all that were over a number are counted", [Stats("^connection_limit\\..*limited")]));
    cases
}

fn names() -> Vec<Case> {
    let listeners = ["named", "uninspected", "named_after", "named_before"];
    let mut cases = Vec::new();
    for listener in listeners {
        for name in ["raw_a", "raw_b", "RAW_B", "unknown", ""] {
            cases.push(case(
                format!("{listener} as {name:?}"),
                [Open(0, listener), Send(0, client_hello(name)), Read(0)],
            ));
        }
        cases.push(case(format!("{listener} without TLS"), say(0, listener, "plain text, and enough of it")));
    }
    cases.push(case("the last state holds", say(0, "twice_stated", "x")));
    cases.push(case("no cluster of that name is counted", [Stats("tcp.tcp.downstream_cx_no_route")]));
    cases
}

fn answers() -> Vec<Case> {
    let large = "0123456789".repeat(20_000);
    let mut cases = vec![
        case("echo", say(0, "echo", "hello")),
        case("echo in turns", [say(0, "echo", "one"), vec![Send(0, b"two".into()), Read(0)]].concat()),
        case("echo to the end", [say(0, "echo", "one"), vec![End(0), Read(0)]].concat()),
        case("echo says nothing of its own", [Open(0, "echo"), Quiet(0)]),
        case("echo of much", say(0, "echo", &large)),
        case("echo behind a limit", [say(0, "echo_limited", "a"), say(1, "echo_limited", "b")].concat()),
        case("an answer", [Open(0, "direct"), Read(0)]),
        case("an answer to bytes", [Open(0, "direct"), Wait(Duration::from_millis(50)), Read(0)]),
        case("an answer of bytes", [Open(0, "direct_bytes"), Read(0)]),
        case("an answer of nothing", [Open(0, "direct_nothing"), Read(0)]),
    ];
    for (name, turns) in [("limited.example", 2), ("echo.example", 2), ("other.example", 1)] {
        for turn in 1..=turns {
            cases.push(case(
                format!("a chain for {name}, {turn}"),
                [Open(0, "chosen"), Send(0, client_hello(name)), Read(0)],
            ));
        }
    }
    cases.push(case("a chain for no name", say(0, "chosen", "plain text, and enough of it")));
    cases
}

/// A client's first message as TLS 1.2 has it (RFC 5246 §7.4.1.2, RFC 6066 §3); without a name if it is empty.
fn client_hello(name: &str) -> Vec<u8> {
    let two = |length: usize| u16::try_from(length).expect("short").to_be_bytes();
    // ecdsa_secp256r1_sha256, secp256r1, uncompressed points.
    let mut extensions = vec![0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
    if !name.is_empty() {
        extensions.extend([0, 0]);
        extensions.extend(two(name.len() + 5));
        extensions.extend(two(name.len() + 3));
        extensions.push(0);
        extensions.extend(two(name.len()));
        extensions.extend(name.as_bytes());
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2f, 1, 0]);
    body.extend(two(extensions.len()));
    body.extend(extensions);
    let mut hello = vec![1, 0];
    hello.extend(two(body.len()));
    hello.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(two(hello.len()));
    record.extend(hello);
    record
}
