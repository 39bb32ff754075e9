//! Routes: which virtual host and route a request takes, and what the route makes of it.

mod action;
mod connection;
mod domain;
mod hash;
mod index;
mod matcher;
mod mirror;
mod mutation;
mod path;
mod redirect;
mod rewrite;
mod table;

#[cfg(test)]
mod tests;

pub use action::{Action, Cluster, Forward, Target, WeightedCluster};
pub use connection::Ends;
pub use hash::{HashPolicies, Hashed, NewCookie};
pub use mirror::Mirror;
pub use mutation::{Mutations, Stage};
pub use rewrite::{HostRewrite, PathRewrite, set_authority};
pub use table::{Found, Route, RouteTable, VirtualHost};
