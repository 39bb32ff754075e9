//! The table, a file per subject.

use super::case::Case;

mod methods;

mod targets;

mod fields;

mod framing;

mod hop;

mod expect;

mod connection;

mod answers;

mod status;

/// Every case.
pub fn all() -> Vec<Case> {
    let subjects = [
        methods::cases,
        targets::cases,
        fields::cases,
        framing::cases,
        hop::cases,
        expect::cases,
        connection::cases,
        answers::cases,
        status::cases,
    ];
    subjects.into_iter().flat_map(|cases| cases()).collect()
}
