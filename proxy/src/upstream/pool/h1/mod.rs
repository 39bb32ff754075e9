//! A client connection that speaks HTTP/1.1: one request at a time (RFC 9112 §9).
//!
//! One rule: a connection comes back for another request only if nothing about its last one is in doubt.

mod idle;

mod flight;

mod answer;

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::rc::Rc;

use crate::body::{Request, Response};
use crate::error::Error;

pub use idle::{H1ClientSettings, H1Connection};

use flight::Flight;

/// A request that got no response.
#[derive(Debug)]
pub struct SendError {
    /// Why.
    pub error: Error,
    /// The request, whole again, if this connection had served before and was closed without one byte of a
    /// response. That is the race of a keep-alive connection (RFC 9112 §9.3.1): on another connection the request
    /// may be sent again if its method allows it.
    pub unsent: Option<Box<Request>>,
}

impl H1Connection {
    /// Sends a request and gives its response once the head is there. The bodies go on in both directions while
    /// the response's body is polled; a tunnel's upload runs in a task of its own on the current `LocalSet`, which
    /// ends with the response's body.
    ///
    /// `give_back` gets the connection when it is free for another request; it is not called if the connection
    /// is to be closed. Dropping the future or the response's body closes the connection.
    ///
    /// # Errors
    ///
    /// `UpstreamClosed` if the connection ends before the response's head, `UpstreamProtocol` if what came is not
    /// valid HTTP/1.1, `DownstreamProtocol` if the head cannot be written, or the request body's own error.
    pub fn send(
        self,
        request: Request,
        give_back: Rc<dyn Fn(H1Connection)>,
    ) -> impl Future<Output = Result<Response, SendError>> {
        // Begun here, and not when polled: the arguments of an async function are moved twice.
        let begun = Flight::begin(self, request, give_back);
        async move {
            let failed = |error| SendError { error, unsent: None };
            let mut flight = begun.map_err(failed)?;
            match poll_fn(|cx| flight.poll_head(cx)).await {
                Ok(parsed) => answer::response(flight, parsed).map_err(failed),
                Err(error) => Err(SendError { unsent: flight.unsent().map(Box::new), error }),
            }
        }
    }
}
