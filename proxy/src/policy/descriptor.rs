//! Descriptors: the keys and values that requests are counted by (`envoy.config.route.v3.RateLimit`).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use xds::model::{DescriptorAction, MetadataKey, QueryMatcher, RateLimit, Value};

use super::facts;
use super::header_tests::HeaderTests;
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::observe::attributes::Attributes;
use crate::observe::field::Field;
use crate::observe::record::Place;

/// Keys with their values.
pub type Descriptor = Vec<(String, String)>;

/// Compiled rules of one place.
#[derive(Debug, Default)]
pub struct DescriptorRules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    stage: u32,
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    DestinationCluster,
    Header { field: Field, key: String, skip_if_absent: bool },
    Query { name: String, key: String, skip_if_absent: bool },
    Remote { key: &'static str, v4_bits: u8, v6_bits: u8, masked: bool },
    Fixed { key: String, value: String },
    IfHeaders { key: String, value: String, expect: bool, tests: HeaderTests },
    IfQuery { key: String, value: String, expect: bool, tests: Vec<QueryMatcher> },
    Metadata { at: MetadataKey, key: String, otherwise: String, skip_if_absent: bool },
}

/// What descriptors are made of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The request.
    pub head: &'a RequestHead,
    /// Who sent it.
    pub client: &'a Place,
    /// The route's cluster.
    pub cluster: Option<&'a str>,
    /// What is noted about the request.
    pub attributes: &'a Attributes,
}

/// What becomes of a rule when an entry cannot be made.
enum Made {
    Entry(String, String),
    /// The descriptor goes without it.
    Nothing,
}

impl DescriptorRules {
    /// Compiles `models`.
    ///
    /// # Errors
    /// Names the rule whose header tests cannot be used.
    pub fn compile(models: &[RateLimit]) -> Result<Self, Invalid> {
        let rules = models.iter().enumerate().map(|(index, RateLimit { stage, actions })| {
            let entries = actions.iter().map(Entry::compile).collect::<Result<_, _>>();
            let entries =
                entries.map_err(|invalid: Invalid| invalid.within(&format!("rate_limits[{index}]")))?;
            Ok(Rule { stage: *stage, entries })
        });
        Ok(Self(rules.collect::<Result<_, Invalid>>()?))
    }

    /// Whether there is no rule of `stage`.
    #[must_use]
    pub fn is_empty(&self, stage: u32) -> bool {
        !self.0.iter().any(|rule| rule.stage == stage)
    }

    /// The descriptors of a request by the rules of `stage`.
    pub fn of<'a>(&'a self, stage: u32, subject: Subject<'a>) -> impl Iterator<Item = Descriptor> + 'a {
        let rules = self.0.iter().filter(move |rule| rule.stage == stage);
        rules.filter_map(move |rule| rule.descriptor(subject)).filter(|descriptor| !descriptor.is_empty())
    }
}

impl Rule {
    fn descriptor(&self, subject: Subject<'_>) -> Option<Descriptor> {
        let mut descriptor = Descriptor::with_capacity(self.entries.len());
        for entry in &self.entries {
            if let Made::Entry(key, value) = entry.make(subject)? {
                descriptor.push((key, value));
            }
        }
        Some(descriptor)
    }
}

impl Entry {
    fn compile(model: &DescriptorAction) -> Result<Self, Invalid> {
        Ok(match model {
            DescriptorAction::DestinationCluster => Self::DestinationCluster,
            DescriptorAction::RequestHeader { name, key, skip_if_absent } => Self::Header {
                field: Field::parse(name).map_err(|reason| Invalid::new("header_name", reason))?,
                key: key.clone(),
                skip_if_absent: *skip_if_absent,
            },
            DescriptorAction::QueryParameter { name, key, skip_if_absent } => {
                Self::Query { name: name.clone(), key: key.clone(), skip_if_absent: *skip_if_absent }
            }
            DescriptorAction::RemoteAddress => {
                Self::Remote { key: "remote_address", v4_bits: 32, v6_bits: 128, masked: false }
            }
            DescriptorAction::MaskedRemoteAddress { v4_bits, v6_bits } => Self::Remote {
                key: "masked_remote_address",
                v4_bits: *v4_bits,
                v6_bits: *v6_bits,
                masked: true,
            },
            DescriptorAction::GenericKey { key, value } => {
                Self::Fixed { key: key.clone(), value: value.clone() }
            }
            DescriptorAction::HeaderValueMatch { key, value, expect_match, headers } => Self::IfHeaders {
                key: key.clone(),
                value: value.clone(),
                expect: *expect_match,
                tests: HeaderTests::compile(headers)?,
            },
            DescriptorAction::QueryParameterValueMatch { key, value, expect_match, query_parameters } => {
                Self::IfQuery {
                    key: key.clone(),
                    value: value.clone(),
                    expect: *expect_match,
                    tests: query_parameters.clone(),
                }
            }
            DescriptorAction::Metadata { key, at, default_value, skip_if_absent } => Self::Metadata {
                at: at.clone(),
                key: key.clone(),
                otherwise: default_value.clone(),
                skip_if_absent: *skip_if_absent,
            },
        })
    }

    /// The entry for a request; `None` if there is to be no descriptor.
    fn make(&self, subject: Subject<'_>) -> Option<Made> {
        let Subject { head, client, cluster, attributes } = subject;
        let entry = |key: &str, value: Cow<'_, str>| Some(Made::Entry(key.to_owned(), value.into_owned()));
        let absent = |skip: bool| skip.then_some(Made::Nothing);
        match self {
            Self::DestinationCluster => entry("destination_cluster", cluster?.into()),
            Self::Header { field, key, skip_if_absent } => match field.of_request(&facts::view(head)) {
                Some(value) => entry(key, value),
                None => absent(*skip_if_absent),
            },
            Self::Query { name, key, skip_if_absent } => match facts::query_parameter(&head.path, name) {
                Some(value) => entry(key, value.into()),
                None => absent(*skip_if_absent),
            },
            Self::Remote { key, v4_bits, v6_bits, masked } => {
                let network = network(client.ip()?, *v4_bits, *v6_bits);
                entry(key, if *masked { network } else { client.ip()?.to_string() }.into())
            }
            Self::Fixed { key, value } => entry(key, value.into()),
            Self::IfHeaders { key, value, expect, tests } => {
                (tests.all_pass(head) == *expect).then(|| Made::Entry(key.clone(), value.clone()))
            }
            Self::IfQuery { key, value, expect, tests } => {
                let pass =
                    tests.iter().all(|test| test.is_match(facts::query_parameter(&head.path, &test.name)));
                (pass == *expect).then(|| Made::Entry(key.clone(), value.clone()))
            }
            Self::Metadata { at, key, otherwise, skip_if_absent } => {
                match attributes.metadata().value(&at.namespace, &at.path) {
                    Some(Value::String(text)) if !text.is_empty() => entry(key, text.into()),
                    _ if !otherwise.is_empty() => entry(key, otherwise.into()),
                    _ => absent(*skip_if_absent),
                }
            }
        }
    }
}

/// The network of an address, with its length.
fn network(ip: IpAddr, v4_bits: u8, v6_bits: u8) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4_bits)).unwrap_or(0);
            format!("{}/{v4_bits}", Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(v6_bits)).unwrap_or(0);
            format!("{}/{v6_bits}", Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}
