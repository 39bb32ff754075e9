//! Routes: which virtual host and route a request takes, and what the route makes of it.

mod action;
mod connection;
mod domain;
mod entry;
mod hash;
mod index;
mod internal_redirect;
mod level;
mod matcher;
mod mirror;
mod mutation;
mod path;
mod redirect;
mod rewrite;
mod table;
mod virtual_host;

#[cfg(test)]
mod tests;

pub use action::{Action, Cluster, Forward, Target, WeightedCluster};
pub use connection::Ends;
pub use entry::Route;
pub use hash::{HashPolicies, Hashed, NewCookie};
pub use internal_redirect::{History, InternalRedirects, Redirected};
pub use mirror::Mirror;
pub use mutation::{Mutations, Stage};
pub use rewrite::{HostRewrite, PathRewrite, set_authority};
pub use table::{Found, RouteTable};
pub use virtual_host::VirtualHost;
