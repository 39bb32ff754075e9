//! Resources: what an operator writes, as `apiVersion`/`kind`/`metadata`/`spec` documents.
//!
//! Our own kinds stand beside the Gateway API's, whose types come from the `gateway-api` crate.
//! A document is parsed once ([`object::Object::parse`]): types, unknown fields, then values. What
//! resources say about each other is checked for the whole world at once ([`reference::check`]).
//!
//! One rule: nothing is accepted that the gateways would not do.

pub mod invalid;
pub mod kind;
pub mod name;
pub mod span;

pub mod fields;

pub mod document;
pub mod pem;

pub mod site;

pub mod protocol;

pub mod service;
pub mod service_policy;

pub mod parent;

pub mod http_filter;
pub mod http_route;
pub mod tcp_route;

pub mod failover;
pub mod join_token;
pub mod trust_domain;

pub mod object;
pub mod reference;
pub mod world;

#[cfg(test)]
mod tests;
