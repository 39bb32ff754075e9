//! Which resource of ours made a proxy refuse what it was told.
//!
//! One rule: name the one resource when the refusal tells it, else all that it was made from.

use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration;
use prost::Message;
use xds::wire::resource::ResourceType;

use crate::publish::Published;
use crate::resource::kind::{Kind, ObjectRef};

/// The resources of ours that are to be looked at when `published` was refused with `error`.
pub fn origins(of: ResourceType, published: &Published, error: &str) -> Vec<ObjectRef> {
    let body = published.body.value.as_slice();
    let named = match of {
        ResourceType::RouteConfiguration => {
            RouteConfiguration::decode(body).ok().and_then(|table| route_named(&table, error))
        }
        ResourceType::Listener => Listener::decode(body).ok().and_then(|l| chain_named(&l, error)),
        _ => None,
    };
    match named {
        Some(object) if published.origins.contains(&object) => vec![object],
        _ => published.origins.clone(),
    }
}

/// Routes bear the names of what they were made from: `HTTPRoute/shop/0/1`, `Service/cart`.
fn route_named(table: &RouteConfiguration, error: &str) -> Option<ObjectRef> {
    let host = table.virtual_hosts.get(index(error, "virtual_hosts")?)?;
    let route = host.routes.get(index(error, "routes")?)?;
    let mut parts = route.name.split('/');
    let kind = Kind::from_name(parts.next()?)?;
    Some(ObjectRef::new(kind, parts.next()?))
}

/// Chains of the mesh listener bear the names of services.
fn chain_named(listener: &Listener, error: &str) -> Option<ObjectRef> {
    let chain = listener.filter_chains.get(index(error, "filter_chains")?)?;
    Some(ObjectRef::new(Kind::Service, chain.name.clone()))
}

/// The number in `field[number]`.
fn index(error: &str, field: &str) -> Option<usize> {
    let (_, rest) = error.split_once(&format!("{field}["))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
