//! Compares what the backends received with what the clients meant, and with each other.

use std::collections::BTreeMap;

use harness::meaning;
use harness::raw_backend::What;
use harness::strict::Request;

use crate::generate::{self, Exchange};
use crate::meant;
use crate::proxies::{LANES, Proxy};
use crate::run::{self, Seen};

/// How often a suspect is run again, alone: a slow machine can make a proxy look as if it refused.
const CONFIRMATIONS: usize = 3;

/// A request that a client meant: the exchange's number, its place in it, and what a backend must see.
type Claimed = (u64, usize, Request);

/// What came of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests that clients wrote.
    pub requests: u64,
    /// Requests that reached a backend, by proxy: ours, Envoy, nginx.
    pub forwarded: [u64; 3],
    /// Requests that only we forwarded, with the reason why that is right.
    pub meant: BTreeMap<&'static str, u64>,
    /// Suspects.
    pub findings: Vec<Finding>,
}

/// One suspect.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The exchange's number, where it is known.
    pub number: Option<u64>,
    /// What was found.
    pub text: String,
}

impl Tally {
    /// The run in a line.
    pub fn line(&self) -> String {
        let [ours, envoy, nginx] = self.forwarded;
        let (requests, meant) = (self.requests, &self.meant);
        format!(
            "{requests} requests; forwarded: {ours} by Tombolo, {envoy} by Envoy, {nginx} by nginx; meant: {meant:?}"
        )
    }
}

/// Judges one batch.
pub fn judge(exchanges: &[Vec<Exchange>], seen: &Seen, tally: &mut Tally) {
    for (lane, exchanges) in exchanges.iter().enumerate() {
        tally.requests += exchanges.iter().map(|exchange| exchange.written).sum::<u64>();
        for (forwarded, proxy) in tally.forwarded.iter_mut().zip(seen) {
            *forwarded += proxy[lane].iter().filter(|what| matches!(what, What::Request(_))).count() as u64;
        }
        let [ours, envoy, nginx] = [0, 1, 2].map(|proxy| &seen[proxy][lane]);
        let mut wanted: Vec<Claimed> = Vec::new();
        for exchange in exchanges {
            let meant = exchange.meaning.iter().enumerate();
            wanted
                .extend(meant.map(|(index, request)| (exchange.number, index, meaning::forwarded(request))));
        }
        let mut forwarded = Vec::new();
        for what in ours {
            match claim(&mut wanted, what) {
                Ok((number, index, request)) => forwarded.push((number, index, request)),
                Err(finding) => tally.findings.push(finding),
            }
        }
        for exchange in exchanges {
            let ours = forwarded.iter().filter(|(number, ..)| *number == exchange.number);
            judge_completeness(exchange, ours.clone().count(), tally);
            judge_refusals(exchange, ours, [envoy, nginx], tally);
        }
    }
}

/// A finding if a request that nobody damaged was not forwarded.
fn judge_completeness(exchange: &Exchange, forwarded: usize, tally: &mut Tally) {
    if !exchange.damaged && forwarded < exchange.meaning.len() {
        let refused = told(&exchange.meaning[forwarded]);
        let text = format!("refused request {forwarded} of exchange {}: {refused}", exchange.number);
        tally.findings.push(Finding { number: Some(exchange.number), text });
    }
}

/// A finding if both others refused, as the first of the exchange's requests, one that we forwarded. What follows a
/// request that one of them refused was never read by it.
fn judge_refusals<'r>(
    exchange: &Exchange,
    mut ours: impl Iterator<Item = &'r Claimed>,
    others: [&Vec<What>; 2],
    tally: &mut Tally,
) {
    let stopped_at =
        |seen: &Vec<What>| exchange.meaning.iter().position(|one| !known_to(seen, &meaning::forwarded(one)));
    let [Some(first), Some(second)] = others.map(stopped_at) else { return };
    let Some((number, index, request)) = ours.find(|(_, index, _)| *index == first && first == second) else {
        return;
    };
    match meant::reason(&exchange.meaning[*index]) {
        Some(reason) => *tally.meant.entry(reason).or_default() += 1,
        None => tally.findings.push(Finding {
            number: Some(*number),
            text: format!("both others refuse request {index} of exchange {number}: {}", told(request)),
        }),
    }
}

/// Runs every suspect alone, several times; what stays is a finding.
pub fn confirm(proxies: &mut [Proxy], seed: u64, suspects: Vec<Finding>) -> Vec<String> {
    let mut findings = Vec::new();
    for suspect in suspects {
        let Some(number) = suspect.number else {
            findings.push(suspect.text);
            continue;
        };
        let exchange = generate::exchange(seed, number);
        let mut stays = None;
        for _ in 0..CONFIRMATIONS {
            let mut lanes = vec![Vec::new(); LANES];
            lanes[0].push(exchange.clone());
            let mut tally = Tally::default();
            let seen = run::through(proxies, &lanes);
            judge(&lanes, &seen, &mut tally);
            stays = tally.findings.pop();
            if stays.is_none() {
                break;
            }
        }
        if let Some(finding) = stays {
            findings.push(format!("{}\n  bytes: {}", finding.text, exchange.bytes.escape_ascii()));
        }
    }
    findings
}

/// Takes the request that came out of what clients meant; a finding if nobody meant it.
fn claim(wanted: &mut Vec<Claimed>, what: &What) -> Result<Claimed, Finding> {
    let came = match what {
        What::Request(request) => meaning::received(request),
        What::Wrong(why, excerpt) => {
            return Err(Finding {
                number: None,
                text: format!("sent what no reader may accept ({why}): {excerpt}"),
            });
        }
        What::Tunnel(_) => {
            return Err(Finding { number: None, text: "opened a tunnel nobody asked for".to_owned() });
        }
    };
    if let Some(at) = wanted.iter().position(|(_, _, request)| *request == came) {
        return Ok(wanted.remove(at));
    }
    let near =
        wanted.iter().find(|(_, _, request)| request.target == came.target || id(request) == id(&came));
    let meant = near.map_or("nothing".to_owned(), |(_, _, request)| told(request));
    let number = near.map(|(number, _, _)| *number).or_else(|| number_in(&came));
    Err(Finding { number, text: format!("the backend received {}\n  the client meant {meant}", told(&came)) })
}

/// Whether a backend received this request, however it was rewritten.
fn known_to(seen: &[What], request: &Request) -> bool {
    seen.iter().any(|what| match what {
        What::Request(came) => {
            came.target == request.target || (id(request).is_some() && id(came) == id(request))
        }
        What::Wrong(..) | What::Tunnel(_) => false,
    })
}

fn id(request: &Request) -> Option<&[u8]> {
    request.values("x-id").next()
}

/// The exchange's number, which its requests carry in their targets.
fn number_in(request: &Request) -> Option<u64> {
    let text = id(request).map_or(request.target.clone(), |id| String::from_utf8_lossy(id).into_owned());
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_hexdigit()).take(8).collect();
    u64::from_str_radix(&digits, 16).ok()
}

fn told(request: &Request) -> String {
    let fields: Vec<String> =
        request.fields.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
    let body = &request.body;
    let start = body[..body.len().min(60)].escape_ascii();
    let (method, target) = (&request.method, &request.target);
    format!("{method} {target} {fields:?}, {} bytes \"{start}\", then {:?}", body.len(), request.trailers)
}

#[cfg(test)]
mod tests {
    use harness::strict::{self, Parsed};

    use super::*;

    fn request(bytes: &str) -> Request {
        match strict::request(bytes.as_bytes()) {
            Parsed::Whole(request, _) => request,
            other => panic!("{bytes:?} is {other:?}"),
        }
    }

    fn exchange(bytes: &str, damaged: bool) -> Exchange {
        let meaning = meaning::of(bytes.as_bytes());
        Exchange { number: 1, bytes: bytes.into(), written: 1, damaged, meaning }
    }

    /// What is found when the client sends `sent` and the backends of ours, Envoy and nginx receive these.
    fn found(sent: &str, damaged: bool, received: [&[&str]; 3]) -> Vec<String> {
        let what = |bytes: &&str| What::Request(request(bytes));
        let seen = received.map(|all| vec![all.iter().map(what).collect()]).to_vec();
        let mut tally = Tally::default();
        judge(&[vec![exchange(sent, damaged)]], &seen, &mut tally);
        tally.findings.into_iter().map(|finding| finding.text).collect()
    }

    const SENT: &str = "POST /a HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nContent-Length: 2\r\n\r\nhi";
    const RIGHT: &str = "POST /a HTTP/1.1\r\nhost: a\r\nx-b: 1\r\ncontent-length: 2\r\n\r\nhi";

    #[test]
    fn what_arrives_as_it_was_meant_is_no_finding() {
        assert_eq!(found(SENT, false, [&[RIGHT]; 3]), [""; 0]);
        assert_eq!(found(SENT, true, [&[RIGHT], &[RIGHT], &[]]), [""; 0], "one of the others forwards it");
        assert_eq!(found(SENT, true, [&[], &[], &[]]), [""; 0], "nobody forwards it");
    }

    #[test]
    fn whatever_is_changed_or_added_is_a_finding() {
        for wrong in [
            RIGHT.replace("POST", "PUT"),
            RIGHT.replace("/a", "/b"),
            RIGHT.replace("host: a", "host: b"),
            RIGHT.replace("x-b: 1", "x-b: 2"),
            RIGHT.replace("x-b: 1", "x-c: 1"),
            RIGHT.replace("\r\nhi", "\r\nho"),
        ] {
            let findings = found(SENT, true, [&[&wrong], &[RIGHT], &[RIGHT]]);
            assert_eq!(findings.len(), 1, "{wrong}: {findings:?}");
        }
        let twice = found(SENT, true, [&[RIGHT, RIGHT], &[RIGHT], &[RIGHT]]);
        assert_eq!(twice.len(), 1, "the same request came twice: {twice:?}");
    }

    #[test]
    fn what_both_others_refuse_is_a_finding_unless_it_is_meant() {
        let findings = found(SENT, true, [&[RIGHT], &[], &[]]);
        assert!(findings.len() == 1 && findings[0].starts_with("both others refuse"), "{findings:?}");
        let own = |text: &str| text.replace("POST", "BREW");
        assert_eq!(found(&own(SENT), true, [&[&own(RIGHT)], &[], &[]]), [""; 0], "methods are open-ended");
    }

    #[test]
    fn a_good_request_that_we_refuse_is_a_finding() {
        let findings = found(SENT, false, [&[], &[RIGHT], &[RIGHT]]);
        assert!(findings.len() == 1 && findings[0].starts_with("refused"), "{findings:?}");
    }
}
