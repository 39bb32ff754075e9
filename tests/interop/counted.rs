//! Counters beside real Envoy's: after the same requests they have the same numbers under the same names.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::client;
use harness::message::Request;

use crate::cases;
use crate::outcome;
use crate::side::Side;

const DEADLINE: Duration = Duration::from_secs(20);

/// Which cases are run, and which metrics are looked at after them.
struct Row {
    cases: &'static str,
    /// An expression of names.
    metrics: &'static str,
    /// Those that have no counterpart: what of the name says so.
    ours: &'static [&'static str],
}

const PROCESSOR: &str = "^http\\.processing\\.ext_proc\\.";

/// Envoy counts a stream that failed twice where failures are allowed.
const HALF_CLOSED: &[&str] = &["server_half_closed"];

const ROWS: &[Row] = &[
    Row { cases: "calls: ", metrics: "^cluster\\.[a-z0-9]+\\.grpc\\.", ours: &[] },
    Row { cases: "check: ", metrics: "^http\\.filters\\.health_check\\.", ours: &[] },
    Row { cases: "check: ", metrics: "^http\\.filters\\.downstream_rq_(completed|.xx)", ours: &[] },
    Row { cases: "follow: ", metrics: "internal_redirect", ours: &[] },
    Row { cases: "processor: /rules-error", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /allow {", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /whole {", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /quick", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /dead-status", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /clear", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /keep", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: /no-immediate", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row { cases: "processor: GET /prefixed", metrics: PROCESSOR, ours: HALF_CLOSED },
    Row {
        cases: "decompress: request, /",
        metrics: "^http\\.filters\\.decompressor\\.lib\\.",
        // What went wrong is counted there by what each library says of it.
        ours: &["malformed", "decompressor_library"],
    },
];

/// Every metric that was used; of a histogram, that it was.
fn counted(side: &Side, row: &Row) -> BTreeMap<String, String> {
    let target = format!("/stats?usedonly&filter={}", row.metrics.replace('\\', "%5C").replace('+', "%2B"));
    let answer = client::send(side.admin(), &Request::new("GET", "admin", &target)).expect("admin answers");
    let text = answer.text();
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    let lines = lines.filter(|(name, _)| !row.ours.iter().any(|ours| name.contains(ours)));
    let value =
        |value: &str| value.parse().map_or_else(|_| "used".to_owned(), |number: u64| number.to_string());
    lines.map(|(name, text)| (name.to_owned(), value(text))).collect()
}

#[test]
fn counters_say_what_envoys_say() {
    let Some(envoy) = Side::envoy() else { return };
    let tombolo = Side::tombolo();
    for row in ROWS {
        for case in cases::all().iter().filter(|case| case.name.starts_with(row.cases)) {
            outcome::of(case, &envoy);
            outcome::of(case, &tombolo);
        }
        assert!(!counted(&envoy, row).is_empty(), "{}: nothing is counted", row.cases);
        harness::wait::until(&format!("the same counters after {:?}", row.cases), DEADLINE, || {
            let (theirs, ours) = (counted(&envoy, row), counted(&tombolo, row));
            let differ = |one: &BTreeMap<String, String>, two: &BTreeMap<String, String>| {
                let lines = one.iter().filter(|(name, value)| two.get(*name) != Some(*value));
                lines.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
            };
            if theirs == ours {
                return Ok(());
            }
            Err(format!("envoy:\n{}\ntombolo:\n{}", differ(&theirs, &ours), differ(&ours, &theirs)))
        });
    }
}
