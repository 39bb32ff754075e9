//! What a proxy and an external processor say to each other (`envoy.service.ext_proc.v3`).
//!
//! An answer is what the service said and no more: whether it may say so is not decided here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{BodyMode, ProcessingMode};
use crate::model::{Metadata, Value};

/// Which of the two messages is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The request.
    Request,
    /// The response.
    Response,
}

/// A part of a message, for the service (`ProcessingRequest`).
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessorQuestion {
    /// Whose part.
    pub half: Half,
    /// The part.
    pub part: ProcessorPart,
    /// Dynamic metadata.
    pub metadata: Metadata,
    /// Attributes under Envoy's names; `None` where none are told.
    pub attributes: Option<BTreeMap<String, Value>>,
    /// Whether no answer is wanted.
    pub observability_mode: bool,
    /// How bodies of requests and responses are sent; told once.
    pub body_modes: Option<(BodyMode, BodyMode)>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessorPart {
    /// Its fields, and whether that is all.
    Headers(Vec<(String, Vec<u8>)>, bool),
    /// Bytes of its body, and whether that is all.
    Body(Vec<u8>, bool),
    /// Its trailers.
    Trailers(Vec<(String, Vec<u8>)>),
}

/// What the service answers (`ProcessingResponse`).
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessorAnswer {
    /// For the dynamic metadata: objects by namespace.
    pub metadata: BTreeMap<String, BTreeMap<String, Value>>,
    /// What it wants to be sent of the rest.
    pub mode: Option<ProcessingMode>,
    /// How long it needs for its answer, which this is not; `Err` for what is no time.
    pub timeout: Option<Result<Duration, ()>>,
    /// What it says.
    pub said: ProcessorSaid,
}

/// What a service says.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessorSaid {
    /// About a head.
    Headers(Half, PartAnswer),
    /// About bytes of a body.
    Body(Half, PartAnswer),
    /// About trailers.
    Trailers(Half, Option<FieldMutation>),
    /// An answer in place of the upstream's.
    Immediate(Box<ImmediateAnswer>),
    /// Nothing, or what is not known here.
    Nothing,
}

/// What becomes of a head or of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartAnswer {
    /// Whether that was all that the service wants of the message, whose body is replaced.
    pub replaces: bool,
    /// Changes of its fields.
    pub fields: Option<FieldMutation>,
    /// The bytes in place of those that were sent; `Some(None)`: as they are.
    pub body: Option<Option<Vec<u8>>>,
    /// Whether a route is to be looked for again.
    pub clear_route_cache: bool,
}

/// Changes of fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMutation {
    /// Fields to set, in order.
    pub set: Vec<FieldSet>,
    /// Names of fields to remove, before others are set.
    pub remove: Vec<String>,
}

/// A field to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSet {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
    /// Whether fields of the same name stay.
    pub append: bool,
}

/// An answer in place of the upstream's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImmediateAnswer {
    /// The status; `None` where none is given.
    pub status: Option<i32>,
    /// Changes of its fields.
    pub fields: Option<FieldMutation>,
    /// Its body.
    pub body: Vec<u8>,
    /// The status for a gRPC request.
    pub grpc_status: Option<u32>,
    /// Why, for logs.
    pub details: String,
}
