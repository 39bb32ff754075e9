//! Serves one client connection that speaks HTTP/1.1 (RFC 9112).
//!
//! Requests are answered one after the other in the order they came; bodies are streamed both ways at once. One
//! rule: after anything that could be read in two ways the connection answers at most once more and ends.

mod settings;

mod alarm;

mod phase;

mod shared;

mod request_body;

mod plan;

mod connection;

mod exchange;

#[cfg(test)]
mod tests;

use crate::body::{Request, Response};
use crate::codec::io::Stream;
use crate::drain::Draining;

pub use settings::{End, H1Settings, Refusal};

use connection::{Connection, Next};

/// Answers the requests of `stream` with `handler` until either side ends the connection; says why it ended.
///
/// The handler's future is dropped when the client goes away or the drain is [stopped](crate::drain::Phase): what
/// it must do then belongs into a destructor. Dropping this future closes the connection at once.
pub async fn serve<H: AsyncFn(Request) -> Response>(
    stream: Stream,
    settings: &H1Settings,
    draining: Draining,
    handler: H,
) -> End {
    let mut connection = Connection::new(stream, settings, draining);
    loop {
        match connection.next().await {
            Next::Request(parsed) => {
                // In a box, so that a connection between requests is small.
                if let Some(end) = Box::pin(connection.exchange(parsed, &handler)).await {
                    return end;
                }
            }
            Next::Refused(refusal) => {
                connection.refuse(&refusal).await;
                return End::Refused(refusal.error);
            }
            Next::End(end) => {
                connection.close().await;
                return end;
            }
        }
    }
}
