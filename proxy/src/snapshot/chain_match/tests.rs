use super::*;

fn arrival() -> Arrival {
    Arrival::new(Some("10.1.2.3:443".parse().unwrap()), Some("192.0.2.7:50000".parse().unwrap()))
}

fn cidr(text: &str) -> Cidr {
    let (ip, len) = text.split_once('/').unwrap();
    Cidr::new(ip.parse().unwrap(), len.parse().unwrap()).unwrap()
}

fn named(names: &[&str]) -> FilterChainMatch {
    FilterChainMatch { server_names: names.iter().map(ToString::to_string).collect(), ..Default::default() }
}

fn any() -> FilterChainMatch {
    FilterChainMatch::default()
}

fn choose(chains: Vec<FilterChainMatch>, arrival: &Arrival) -> Option<usize> {
    ChainMatcher::new(chains).unwrap().choose(arrival)
}

fn asking(name: &str) -> Arrival {
    Arrival { server_name: Some(name.to_owned()), transport: TransportProtocol::Tls, ..arrival() }
}

#[test]
fn the_closest_server_name_wins() {
    let chains =
        || vec![any(), named(&["*.com"]), named(&["*.example.com"]), named(&["www.example.com", "b.com"])];
    for (name, chain) in [
        ("www.example.com", 3),
        ("api.example.com", 2),
        ("a.api.example.com", 2),
        ("example.com", 1),
        ("b.com", 3),
        ("com", 0),
        ("www.example.org", 0),
        (".example.com", 2),
    ] {
        assert_eq!(choose(chains(), &asking(name)), Some(chain), "{name}");
        // The same by the path that is taken when ports or addresses matter too.
        let mut ported = chains();
        ported.push(FilterChainMatch { destination_port: Some(1), ..any() });
        assert_eq!(choose(ported, &asking(name)), Some(chain), "{name} beside a chain with a port");
    }
    assert_eq!(choose(chains(), &arrival()), Some(0), "no server name");
}

#[test]
fn a_client_without_a_name_matches_no_named_chain() {
    assert_eq!(choose(vec![named(&["a.test"])], &arrival()), None);
    assert_eq!(choose(Vec::new(), &arrival()), None);
}

#[test]
fn there_is_no_way_back_from_a_port_to_chains_without_one() {
    let chains = vec![
        FilterChainMatch { destination_port: Some(443), ..named(&["other.test"]) },
        named(&["www.example.com"]),
    ];
    assert_eq!(choose(chains, &asking("www.example.com")), None);
}

#[test]
fn there_is_no_way_back_from_a_name_to_chains_without_one() {
    let chains = vec![
        FilterChainMatch { application_protocols: vec!["h2".into()], ..named(&["www.example.com"]) },
        any(),
    ];
    assert_eq!(choose(chains, &asking("www.example.com")), None);
}

#[test]
fn the_longest_destination_prefix_wins_over_the_name() {
    let chains = vec![
        named(&["www.example.com"]),
        FilterChainMatch { prefix_ranges: vec![cidr("10.0.0.0/8")], ..any() },
        FilterChainMatch { prefix_ranges: vec![cidr("10.1.0.0/16"), cidr("192.0.2.0/24")], ..any() },
        FilterChainMatch { prefix_ranges: vec![cidr("10.2.0.0/16")], ..any() },
    ];
    assert_eq!(choose(chains, &asking("www.example.com")), Some(2));
}

#[test]
fn a_mapped_address_is_an_ipv4_address() {
    let chains = vec![FilterChainMatch { prefix_ranges: vec![cidr("10.0.0.0/8")], ..any() }];
    let mapped = Arrival { destination: Some("[::ffff:10.1.2.3]:443".parse().unwrap()), ..arrival() };
    assert_eq!(choose(chains, &mapped), Some(0));
}

#[test]
fn transport_protocol_splits_tls_from_plain_text() {
    let with = |transport| FilterChainMatch { transport_protocol: Some(transport), ..any() };
    let chains = || vec![with(TransportProtocol::RawBuffer), with(TransportProtocol::Tls)];
    assert_eq!(choose(chains(), &arrival()), Some(0));
    assert_eq!(choose(chains(), &asking("a.test")), Some(1));
}

#[test]
fn the_clients_first_protocol_decides() {
    let with = |protocol: &str| FilterChainMatch { application_protocols: vec![protocol.into()], ..any() };
    let chains = || vec![any(), with("http/1.1"), with("h2")];
    let offering = |protocols: &[&str]| Arrival {
        application_protocols: protocols.iter().map(ToString::to_string).collect(),
        ..arrival()
    };
    assert_eq!(choose(chains(), &offering(&["h2", "http/1.1"])), Some(2));
    assert_eq!(choose(chains(), &offering(&["x", "http/1.1", "h2"])), Some(1));
    assert_eq!(choose(chains(), &offering(&["x"])), Some(0));
    assert_eq!(choose(chains(), &offering(&[])), Some(0));
}

#[test]
fn source_type_tells_loopback_and_self_from_elsewhere() {
    let with = |source_type| FilterChainMatch { source_type, ..any() };
    let chains = || vec![any(), with(SourceType::SameIpOrLoopback), with(SourceType::External)];
    let from = |source: &str| Arrival { source: Some(source.parse().unwrap()), ..arrival() };
    assert_eq!(choose(chains(), &from("127.0.0.9:1")), Some(1));
    assert_eq!(choose(chains(), &from("10.1.2.3:1")), Some(1), "the same address on both ends");
    assert_eq!(choose(chains(), &from("10.1.2.4:1")), Some(2));
    assert_eq!(choose(chains(), &Arrival::new(None, None)), Some(1), "a Unix domain socket is local");
    let only_external = vec![with(SourceType::External)];
    assert_eq!(choose(only_external, &from("127.0.0.1:1")), None);
}

#[test]
fn sources_are_matched_last_and_most_specific_first() {
    let chains = || {
        vec![
            FilterChainMatch { source_prefix_ranges: vec![cidr("192.0.2.0/24")], ..any() },
            FilterChainMatch { source_prefix_ranges: vec![cidr("192.0.2.7/32")], ..any() },
            FilterChainMatch {
                source_prefix_ranges: vec![cidr("192.0.2.7/32")],
                source_ports: vec![50000, 50001],
                ..any()
            },
            FilterChainMatch { direct_source_prefix_ranges: vec![cidr("203.0.113.0/24")], ..any() },
        ]
    };
    assert_eq!(choose(chains(), &arrival()), Some(2));
    let port = Arrival { source: Some("192.0.2.7:2".parse().unwrap()), ..arrival() };
    assert_eq!(choose(chains(), &port), Some(1));
    let neighbour = Arrival { source: Some("192.0.2.8:50000".parse().unwrap()), ..arrival() };
    assert_eq!(choose(chains(), &neighbour), Some(0));
    let proxied = Arrival { direct_source: Some("203.0.113.9:1".parse().unwrap()), ..arrival() };
    assert_eq!(choose(chains(), &proxied), Some(3), "the immediate peer ranks above the source");
}

#[test]
fn chains_between_which_nothing_decides_are_refused() {
    let overlap = ChainMatcher::new(vec![any(), named(&["a.test", "b.test"]), named(&["b.test"])]);
    assert_eq!(overlap.unwrap_err(), Overlap { first: 1, second: 2 });
    assert!(ChainMatcher::new(vec![any(), any()]).is_err());
    let apart = vec![named(&["a.test"]), FilterChainMatch { source_ports: vec![1], ..named(&["a.test"]) }];
    assert!(ChainMatcher::new(apart).is_ok());
}
