use std::cell::Cell;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use xds::model::{self, SocketAddress};

use super::*;
use crate::upstream::fixture::{assignment, cluster, endpoint, locality, model, port};

fn named(name: &str, port: u16) -> Endpoint {
    let address = Address::Socket(SocketAddress { host: Host::Name(name.to_owned()), port });
    Endpoint { address, ..endpoint(([0, 0, 0, 0], 0)) }
}

fn dns() -> DnsOptions {
    DnsOptions {
        refresh_rate: Duration::from_secs(5),
        respect_dns_ttl: false,
        lookup_family: DnsLookupFamily::V4Only,
        jitter: Duration::ZERO,
        failure_refresh: None,
    }
}

fn answers(entries: &[(&str, &[[u8; 4]])]) -> Answers {
    let ips = |ips: &[[u8; 4]]| ips.iter().map(|ip| IpAddr::from(*ip)).collect();
    Answers(entries.iter().map(|(name, addresses)| ((*name).to_owned(), ips(addresses))).collect())
}

/// Key, address and hostname of every endpoint.
fn shown(localities: &[LocalityMembers]) -> Vec<String> {
    let show = |(key, endpoint): &(String, Endpoint)| {
        format!("{key} {} {}", endpoint.address, endpoint.hostname).trim_end().to_owned()
    };
    localities.iter().flat_map(|locality| &locality.endpoints).map(show).collect()
}

#[test]
fn every_address_of_a_strict_name_is_an_endpoint() {
    let wanted = assignment(vec![locality(0, vec![named("a.test", 80), endpoint(([9, 9, 9, 9], 90))])]);
    let found = expand(&wanted, &answers(&[("a.test", &[[1, 1, 1, 1], [2, 2, 2, 2]])]), false);
    let want = ["1.1.1.1:80 1.1.1.1:80 a.test", "2.2.2.2:80 2.2.2.2:80 a.test", "9.9.9.9:90 9.9.9.9:90"];
    assert_eq!(shown(&found), want);
}

#[test]
fn two_names_with_one_address_are_one_endpoint() {
    let wanted = assignment(vec![locality(0, vec![named("a.test", 80), named("b.test", 80)])]);
    let same: &[[u8; 4]] = &[[1, 1, 1, 1]];
    let found = expand(&wanted, &answers(&[("a.test", same), ("b.test", same)]), false);
    assert_eq!(shown(&found), ["1.1.1.1:80 1.1.1.1:80 a.test"]);
}

#[test]
fn a_logical_name_is_one_endpoint_whatever_its_address() {
    let wanted = assignment(vec![locality(0, vec![named("a.test", 80)])]);
    let before = expand(&wanted, &answers(&[("a.test", &[[1, 1, 1, 1], [2, 2, 2, 2]])]), true);
    let after = expand(&wanted, &answers(&[("a.test", &[[3, 3, 3, 3]])]), true);
    assert_eq!(shown(&before), ["a.test:80 1.1.1.1:80 a.test"]);
    assert_eq!(shown(&after), ["a.test:80 3.3.3.3:80 a.test"], "the key stays");
}

#[test]
fn a_configured_hostname_wins_over_the_name() {
    let endpoint = Endpoint { hostname: "own.test".to_owned(), ..named("a.test", 80) };
    let wanted = assignment(vec![locality(0, vec![endpoint])]);
    let found = expand(&wanted, &answers(&[("a.test", &[[1, 1, 1, 1]])]), false);
    assert_eq!(shown(&found), ["1.1.1.1:80 1.1.1.1:80 own.test"]);
}

#[test]
fn a_name_without_an_answer_has_no_endpoints() {
    let wanted = assignment(vec![locality(0, vec![named("a.test", 80)])]);
    assert!(shown(&expand(&wanted, &answers(&[]), false)).is_empty());
}

#[test]
fn lookups_are_scheduled_by_table() {
    let mut rng = fastrand::Rng::with_seed(1);
    let ttl = Some(Duration::from_secs(77));
    let by_ttl = DnsOptions { respect_dns_ttl: true, ..dns() };
    assert_eq!(next_lookup(&dns(), ttl, 0, &mut rng), Duration::from_secs(5), "the rate");
    assert_eq!(next_lookup(&by_ttl, ttl, 0, &mut rng), Duration::from_secs(77), "the record");
    assert_eq!(next_lookup(&by_ttl, Some(Duration::ZERO), 0, &mut rng), Duration::from_secs(5));
    assert_eq!(next_lookup(&dns(), None, 3, &mut rng), Duration::from_secs(5), "failures as well");
    let backing_off =
        DnsOptions { failure_refresh: Some((Duration::from_secs(1), Duration::from_secs(10))), ..dns() };
    for (failures, most) in [(1, 1), (2, 2), (4, 8), (5, 10), (60, 10)] {
        let waits: Vec<_> = (0..200).map(|_| next_lookup(&backing_off, None, failures, &mut rng)).collect();
        let longest = waits.iter().max().unwrap().as_secs_f64();
        let near = longest <= f64::from(most) && longest > f64::from(most) * 0.9;
        assert!(near, "{failures} failures: {longest} s, at most {most} s");
        assert!(waits.iter().all(|wait| !wait.is_zero()), "never at once");
    }
    let jittered = DnsOptions { jitter: Duration::from_secs(2), ..dns() };
    let wait = next_lookup(&jittered, ttl, 0, &mut rng);
    assert!(wait >= Duration::from_secs(5) && wait < Duration::from_secs(7), "{wait:?}");
}

/// A name server on loopback that knows one name.
struct Server {
    address: SocketAddr,
    known: Arc<Mutex<Option<Vec<[u8; 4]>>>>,
    asked: Arc<AtomicU32>,
}

impl Server {
    /// Answers for every name with these A records; with `None`, that the server failed.
    fn new(known: Option<Vec<[u8; 4]>>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (known, asked) = (Arc::new(Mutex::new(known)), Arc::new(AtomicU32::new(0)));
        let (answer, count) = (Arc::clone(&known), Arc::clone(&asked));
        // Ends with the process: a blocking socket in a thread of its own needs no runtime.
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query) {
                count.fetch_add(1, Ordering::SeqCst);
                let reply = respond(&query[..length], answer.lock().unwrap().as_deref());
                socket.send_to(&reply, peer).unwrap();
            }
        });
        Self { address, known, asked }
    }
}

/// A DNS message that answers `query` (RFC 1035 §4).
fn respond(query: &[u8], known: Option<&[[u8; 4]]>) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    end += 5;
    let is_a = query[end - 4..end - 2] == [0, 1];
    let (code, addresses) = match known {
        None => (2, &[][..]),
        Some([]) => (3, &[][..]),
        Some(addresses) => (0, if is_a { addresses } else { &[][..] }),
    };
    let mut reply = query[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(addresses.len()).unwrap(), 0, 0, 0, 0]);
    reply.extend(&query[12..end]);
    for address in addresses {
        // The name by reference, type A, class IN, 60 s, four bytes.
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        reply.extend(address);
    }
    reply
}

fn strict(name: &str, options: DnsOptions) -> model::Cluster {
    let assignment = assignment(vec![locality(0, vec![named(name, 80)])]);
    model::Cluster { discovery: Discovery::StrictDns { assignment, dns: options }, ..model(Vec::new()) }
}

fn addresses(cluster: &Cluster) -> Vec<String> {
    cluster.endpoints().hosts().iter().map(|host| host.address().to_string()).collect()
}

async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("not within five seconds: {what}");
}

/// Follows a cluster's names at `server` while `test` runs.
async fn following(server: &Server, cluster: &Arc<Cluster>, test: impl Future<Output = ()>) {
    let (assignment, dns, logical) = match &cluster.model().discovery {
        Discovery::StrictDns { assignment, dns } => (assignment.clone(), dns.clone(), false),
        Discovery::LogicalDns { assignment, dns } => (assignment.clone(), dns.clone(), true),
        _ => panic!("a cluster without names"),
    };
    let names = Names::at(&[server.address], dns.lookup_family);
    let weak = Arc::downgrade(cluster);
    tokio::select! {
        () = follow(&weak, &names, &assignment, &dns, logical) => panic!("lookups ended"),
        () = test => {}
    }
}

fn fast() -> DnsOptions {
    DnsOptions { refresh_rate: Duration::from_millis(20), ..dns() }
}

#[tokio::test]
async fn a_strict_cluster_follows_its_name() {
    let server = Server::new(Some(vec![[127, 0, 0, 2], [127, 0, 0, 3]]));
    let cluster = cluster(strict("backend.test.", fast()));
    assert!(!cluster.is_ready(), "before the first answer");
    following(&server, &cluster, async {
        cluster.ready().await;
        assert_eq!(addresses(&cluster), ["127.0.0.2:80", "127.0.0.3:80"]);
        assert_eq!(cluster.endpoints().hosts()[0].hostname(), "backend.test.");
        let stays = Arc::clone(&cluster.endpoints().hosts()[1]);
        *server.known.lock().unwrap() = Some(vec![[127, 0, 0, 3], [127, 0, 0, 4]]);
        until("the new addresses", || addresses(&cluster) == ["127.0.0.3:80", "127.0.0.4:80"]).await;
        assert!(cluster.endpoints().hosts()[0].is(&stays), "an address that stays is the same endpoint");
    })
    .await;
}

#[tokio::test]
async fn a_failed_lookup_takes_nothing_away_but_an_empty_answer_does() {
    let server = Server::new(Some(vec![[127, 0, 0, 2]]));
    let cluster = cluster(strict("backend.test.", fast()));
    following(&server, &cluster, async {
        cluster.ready().await;
        *server.known.lock().unwrap() = None;
        until("a failure", || cluster.stats().get(ClusterMetric::UpdateFailure) > 0).await;
        assert_eq!(addresses(&cluster), ["127.0.0.2:80"], "what was known holds");
        *server.known.lock().unwrap() = Some(Vec::new());
        until("no endpoints", || addresses(&cluster).is_empty()).await;
    })
    .await;
}

#[tokio::test]
async fn a_name_that_cannot_be_found_makes_the_cluster_ready_and_empty() {
    let server = Server::new(None);
    let cluster = cluster(strict("backend.test.", fast()));
    following(&server, &cluster, async {
        cluster.ready().await;
        assert!(addresses(&cluster).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_logical_name_keeps_its_endpoint_when_the_address_changes() {
    let server = Server::new(Some(vec![[127, 0, 0, 2], [127, 0, 0, 3]]));
    let assignment = assignment(vec![locality(0, vec![named("backend.test.", 80)])]);
    let cluster = cluster(model::Cluster {
        discovery: Discovery::LogicalDns { assignment, dns: fast() },
        ..model(Vec::new())
    });
    following(&server, &cluster, async {
        cluster.ready().await;
        assert_eq!(addresses(&cluster).len(), 1);
        let before = Arc::clone(&cluster.endpoints().hosts()[0]);
        *server.known.lock().unwrap() = Some(vec![[127, 0, 0, 9]]);
        until("the new address", || addresses(&cluster) == ["127.0.0.9:80"]).await;
        assert!(cluster.endpoints().hosts()[0].is(&before), "its connections are kept");
    })
    .await;
}

#[tokio::test]
async fn lookups_end_with_their_cluster() {
    let server = Server::new(Some(vec![[127, 0, 0, 2]]));
    let known = cluster(strict("backend.test.", fast()));
    let (weak, ready) = (Arc::downgrade(&known), Cell::new(false));
    let names = Names::at(&[server.address], DnsLookupFamily::V4Only);
    let assignment = assignment(vec![locality(0, vec![named("backend.test.", 80)])]);
    let options = fast();
    let ended = async {
        known.ready().await;
        ready.set(true);
        drop(known);
    };
    let (_, ()) = tokio::join!(follow(&weak, &names, &assignment, &options, false), ended);
    let asked = server.asked.load(Ordering::SeqCst);
    sleep(Duration::from_millis(80)).await;
    assert!(ready.get() && asked > 0);
    assert_eq!(server.asked.load(Ordering::SeqCst), asked, "nobody asks any more");
}

#[tokio::test]
async fn localhost_and_literal_addresses_need_no_server() {
    let mut wanted = strict("localhost", dns());
    if let Discovery::StrictDns { assignment, .. } = &mut wanted.discovery {
        assignment.localities[0].endpoints.push(endpoint(([127, 0, 0, 8], 81)));
    }
    let cluster = cluster(wanted);
    cluster.start(&tokio::runtime::Handle::current());
    tokio::time::timeout(Duration::from_secs(5), cluster.ready()).await.unwrap();
    assert_eq!(addresses(&cluster), ["127.0.0.1:80", "127.0.0.8:81"]);
    let mut rng = fastrand::Rng::with_seed(1);
    assert!(cluster.pick(&Default::default(), &mut rng).is_ok_and(|picked| port(&picked.host) >= 80));
}
