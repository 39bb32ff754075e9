//! The client's side: asks for resources, hands over what arrives, acknowledges what was applied.
//!
//! Whoever applies resources gets [`Event`](event::Event)s and answers each `Updated` with a verdict; only then is
//! the response acknowledged (or refused, naming each bad resource). [`stream::connect`] is where to begin.

pub mod event;
pub mod machine;

pub mod delta;
pub mod sotw;

mod intake;
mod known;

pub mod backoff;
pub mod stream;
