//! Sorts the elements of a response: what arrived, what is only kept alive, what is unusable.
//!
//! The one rule: a bad element never takes its neighbours along, and is reported by name where it has one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::Resource;
use envoy_types::pb::google::protobuf;

use super::event::Arrived;
use crate::wire::limits::RESOURCES_PER_RESPONSE_MAX;
use crate::wire::nack::Rejection;
use crate::wire::resource::{self, ResourceType};

/// The elements of a response, sorted.
#[derive(Debug, Default)]
pub(super) struct Intake {
    pub(super) arrived: Vec<(Arrived, Option<Duration>)>,
    /// Names whose time to live begins anew, with nothing else said about them.
    pub(super) renewed: Vec<(String, Option<Duration>)>,
    pub(super) invalid: Vec<Rejection>,
    /// Whether some element could not be told, so that the absence of a name proves nothing.
    pub(super) unnamed: bool,
}

impl Intake {
    /// Whether the response names this resource, valid or not.
    pub(super) fn present(&self) -> BTreeSet<String> {
        let arrived = self.arrived.iter().map(|(arrived, _)| &arrived.name);
        let renewed = self.renewed.iter().map(|(name, _)| name);
        let invalid = self.invalid.iter().map(|rejection| &rejection.name);
        arrived.chain(renewed).chain(invalid).cloned().collect()
    }

    fn reject(&mut self, name: &str, error: String) {
        self.unnamed |= name.is_empty();
        self.invalid.push(Rejection { name: name.to_owned(), error });
    }
}

/// Sorts elements; `version` is given where the response, not each resource, has one.
pub(super) fn sort(
    ty: ResourceType,
    elements: Vec<Result<Resource, String>>,
    version: Option<&str>,
) -> Intake {
    let mut intake = Intake::default();
    if elements.len() > RESOURCES_PER_RESPONSE_MAX {
        let found = elements.len();
        intake.reject(
            "",
            format!("the response has {found} resources, at most {RESOURCES_PER_RESPONSE_MAX} are accepted"),
        );
        return intake;
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut named = Vec::with_capacity(elements.len());
    for element in elements {
        match element.and_then(|element| Ok((name_of(&element)?, element))) {
            Ok((name, element)) => {
                *seen.entry(name.clone()).or_default() += 1;
                named.push((name, element));
            }
            Err(error) => intake.reject("", error),
        }
    }
    let type_url = ty.type_url();
    for (name, element) in named {
        let ttl = element.ttl.and_then(duration);
        match (seen.get(&name), element.resource) {
            (Some(1), None) => intake.renewed.push((name, ttl)),
            (Some(1), Some(body)) if body.type_url == type_url => {
                let version = version.map_or(element.version, str::to_owned);
                intake.arrived.push((Arrived { name, version, body }, ttl));
            }
            (Some(1), Some(body)) => {
                intake.reject(&name, format!("a response for {type_url} holds it as {}", body.type_url));
            }
            (Some(0) | None, _) => {}
            (Some(_), _) => {
                // Reported once, at its first appearance.
                seen.insert(name.clone(), 0);
                intake.reject(&name, "the response holds several resources of this name".to_owned());
            }
        }
    }
    intake
}

fn name_of(element: &Resource) -> Result<String, String> {
    match (&element.resource, &element.resource_name) {
        _ if !element.name.is_empty() => Ok(element.name.clone()),
        (_, Some(name)) if !name.name.is_empty() => Ok(name.name.clone()),
        (Some(body), _) => resource::own_name(body),
        (None, _) => Err("a resource has neither name nor body".to_owned()),
    }
}

fn duration(wire: protobuf::Duration) -> Option<Duration> {
    let seconds = u64::try_from(wire.seconds).ok()?;
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}
