//! HTTP/3 (RFC 9114): what `quinn` and `h3` give, as the request path sees it.
//!
//! One rule: nothing that a peer declares makes `h3`, which keeps whole frames, hold more than a limit.

mod watch;

mod transport;

mod fault;

mod head;

mod receive;

mod send;

pub use fault::error;
pub use head::{from_request, to_response};
pub use receive::Receive;
pub use send::{Unsent, send};
pub use transport::{Outgoing, Stopped, Stops, Transport};
