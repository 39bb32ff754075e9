//! A message as the request path sees it: a head, and a body that is pulled frame by frame.
//!
//! No codec's type appears here, so that a codec can be replaced. One rule: a body is read by polling, so
//! whoever does not poll holds its sender back.

mod head;
mod interim;
mod message;
mod stream;
mod text;

pub use head::{RequestHead, ResponseHead, Scheme, Version};
pub use interim::Interim;
pub use message::{Request, Response};
pub use stream::{Body, Frame, Size, Source};
pub use text::Text;
