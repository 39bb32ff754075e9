//! Datagrams through the UDP proxy: sessions, endpoints, limits, lengths.

use std::time::Duration;

use super::table::{Topic, case};
use crate::network::story::Case;
use crate::network::story::Step::{self, Datagram, Hear, Spread, Stats, Wait};

pub fn topic() -> Topic {
    let cases = [plain(), endpoints(), lengths(), limits(), counted()].concat();
    Topic { name: "udp", bootstrap: include_str!("udp.yaml"), cases }
}

fn say(client: usize, listener: &'static str, text: &str) -> Vec<Step> {
    vec![Datagram(client, listener, text.into()), Hear(client)]
}

fn plain() -> Vec<Case> {
    let mut cases: Vec<Case> = ["udp", "matched"]
        .iter()
        .flat_map(|listener| {
            [
                case(format!("a datagram to {listener}"), say(0, listener, "hello")),
                case(
                    format!("a session at {listener}"),
                    [say(0, listener, "one"), say(0, listener, "two"), say(0, listener, "three")].concat(),
                ),
                case(
                    format!("two clients at {listener}"),
                    [
                        say(0, listener, "one"),
                        say(1, listener, "two"),
                        say(0, listener, "three"),
                        say(1, listener, "four"),
                    ]
                    .concat(),
                ),
            ]
        })
        .collect();
    cases.extend([
        case("an answer of two", [say(0, "udp", "twice"), vec![Hear(0)]].concat()),
        case("no answer", say(0, "udp", "silent")),
        case("an empty datagram", say(0, "udp", "")),
        case("a cluster that is not there", say(0, "unknown", "hello")),
        case("no cluster at all", say(0, "nowhere", "hello")),
        case(
            "idle",
            [say(0, "idle", "one"), vec![Wait(Duration::from_millis(1500))], say(0, "idle", "two")].concat(),
        ),
        case(
            "not idle",
            [
                say(0, "idle", "one"),
                vec![Wait(Duration::from_millis(400))],
                say(0, "idle", "two"),
                vec![Wait(Duration::from_millis(400))],
                say(0, "idle", "three"),
            ]
            .concat(),
        ),
    ]);
    cases
}

fn endpoints() -> Vec<Case> {
    let many = |listener: &'static str| -> Vec<Step> {
        let sent = (0..6).map(|client| Datagram(client, listener, "x".into()));
        sent.chain([Spread(vec![0, 1, 2, 3, 4, 5])]).collect()
    };
    let packets = |listener: &'static str| -> Vec<Step> {
        let sent = (0..6).map(|_| Datagram(0, listener, "x".into()));
        sent.chain([Spread(vec![0; 6])]).collect()
    };
    vec![
        case("by address", many("by_ip")),
        case("by a key", many("by_key")),
        case("each packet", packets("each_packet")),
        case("each packet by address", packets("each_packet_by_ip")),
        case("only the healthy", many("healthy")),
        case("nobody healthy", say(0, "unhealthy", "hello")),
        case("nobody at all", say(0, "empty", "hello")),
        case("nobody listens", [say(0, "dead", "one"), say(0, "dead", "two")].concat()),
    ]
}

fn lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for listener in ["udp", "large", "small"] {
        for length in [15, 16, 17, 1500, 1501, 9000, 9001] {
            let steps = [Datagram(0, listener, vec![b'x'; length]), Hear(0)];
            cases.push(case(format!("{length} bytes to {listener}"), steps));
        }
        for length in [100, 101, 1500, 1501, 9000, 9001] {
            cases.push(case(
                format!("{length} bytes from {listener}"),
                say(0, listener, &format!("big {length}")),
            ));
        }
    }
    cases
}

fn limits() -> Vec<Case> {
    vec![
        case(
            "more sessions than connections are allowed",
            [
                say(0, "limited", "one"),
                say(1, "limited", "two"),
                say(2, "limited", "three"),
                say(0, "limited", "four"),
                vec![Wait(Duration::from_millis(1500))],
                say(2, "limited", "five"),
            ]
            .concat(),
        ),
        case("a refused session is counted", [Stats("^cluster.one.upstream_cx_overflow")]),
    ]
}

fn counted() -> Vec<Case> {
    vec![
        case("sessions are counted", [Stats("^udp\\..*(sess_total|no_route|idle_timeout)")]),
        case("datagrams are counted", [Stats("^udp\\..*(datagrams|bytes|errors)")]),
        case("endpoints' datagrams are counted", [Stats("^cluster\\..*\\.udp\\.")]),
        case("who had no endpoint is counted", [Stats("^cluster\\..*none_healthy")]),
    ]
}
