//! The table, a file per subject. Names begin with the subject.

use crate::case::Case;

mod routing;

mod trees;

mod tunnels;

mod cookies;

mod origins;

mod internal_redirects;

mod rewriting;

mod local;

mod replies;

mod fields;

mod choosing;

mod runtime;

mod failing;

mod bodies;

mod framing;

mod heads;

mod upgrades;

mod http2;

mod edge;

mod inner;

mod filters;

/// Every case.
pub fn all() -> Vec<Case> {
    let subjects = [
        routing::cases,
        trees::cases,
        tunnels::cases,
        cookies::cases,
        origins::cases,
        internal_redirects::cases,
        rewriting::cases,
        local::cases,
        replies::cases,
        fields::cases,
        choosing::cases,
        runtime::cases,
        failing::cases,
        bodies::cases,
        framing::cases,
        heads::cases,
        upgrades::cases,
        http2::cases,
        edge::cases,
        inner::cases,
        filters::cases,
    ];
    subjects.into_iter().flat_map(|cases| cases()).collect()
}
