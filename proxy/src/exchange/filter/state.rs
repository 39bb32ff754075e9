//! What filters remember of a request, and what they wait for.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use xds::model::RateLimitQuestion;

use super::processor::Session;
use crate::fields::Fields;
use crate::policy::filter::grpc_web::Speech;
use crate::policy::filter::local_rate_limit::LocalRateLimit;
use crate::policy::filter::stateful_session::Sessions;
use crate::policy::token_bucket::TokenBucket;
use crate::upstream::Call;

/// What a filter remembers of the request for the response.
#[derive(Debug)]
pub(super) enum State<'a> {
    Nothing,
    /// The origin that may read the response.
    Origin(HeaderValue),
    /// KiB per second.
    Throttle(u64),
    /// The bytes are a tunnel's, and no body.
    Tunnel,
    /// The encodings that the client accepts.
    Accepts(HeaderValue),
    /// Fields that the response gets.
    Fields(Fields),
    /// Of what the response says how much is left.
    Quota(&'a LocalRateLimit, &'a TokenBucket),
    /// How a client of gRPC-Web speaks.
    Speech(Speech),
    /// The request belongs to a session.
    Session(&'a Sessions),
    /// It is a health check, and passed on or answered here.
    Check(bool),
    /// Where a call is counted.
    Call(Arc<Call>),
    /// The conversation with a processor; `None`: it processes nothing.
    Processor(Option<Rc<Session>>),
}

/// What a request has to wait for.
#[derive(Debug)]
pub(super) enum Wait {
    /// Time, for a fault.
    Delay(Duration),
    /// All of its body, of at most so many bytes.
    Body(usize),
    /// A rate limit service's answer.
    RateLimit(RateLimitQuestion),
    /// A processor.
    Processor(Rc<Session>),
}

/// What a response has to wait for.
#[derive(Debug)]
pub(super) enum Late {
    /// All of its body, to become a message.
    Message,
    /// A processor.
    Processor(Rc<Session>),
}
