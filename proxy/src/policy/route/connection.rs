//! What a route may know about the connection.

use crate::observe::record::Place;

/// The two ends of the downstream connection, and who the client is.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// The client, by `x-forwarded-for` where that is trusted.
    pub client: &'a Place,
    /// Who the connection comes from.
    pub remote: &'a Place,
    /// Where it arrived.
    pub local: &'a Place,
}
