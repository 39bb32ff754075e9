//! What the HTTP connection manager decides: whether a request is admitted, which fields it gains and loses on its
//! way in, and which its response does.

mod admit;
mod authority;
mod client_cert;
mod compile;
mod forwarded;
mod local_reply;
mod path;
mod request_id;
mod response;
mod sanitize;
mod shared;
mod stats;
mod strict;
mod upgrade;

#[cfg(test)]
mod tests;

pub use admit::Admitted;
pub use compile::HttpPolicy;
pub use local_reply::LocalReplies;
pub use response::Closing;
pub use shared::Shared;
pub use stats::{HttpMetric, HttpStats};
