//! What is asked of a contestant, and what the backend answers.

use serde::{Deserialize, Serialize};

/// The load of a variant; closed loop unless it says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Load {
    /// HTTP/1.1, one request at a time on each connection.
    Requests {
        /// Connections.
        connections: usize,
        /// Bytes of each answer's body.
        response_bytes: usize,
        /// A connection for each request, closed by the server after its answer.
        #[serde(default)]
        close: bool,
        /// The path asked for.
        #[serde(default = "usual_path")]
        path: String,
    },
    /// HTTP/2, so many requests at a time on each connection.
    Streams {
        /// Connections.
        connections: usize,
        /// Requests in flight on each.
        streams: usize,
        /// Bytes of each answer's body.
        response_bytes: usize,
        /// POST with a message and an answer with trailers, as gRPC does it.
        #[serde(default)]
        grpc: bool,
    },
    /// HTTP/1.1, open loop: requests at fixed times, whatever has been answered.
    Rate {
        /// Connections, asked in turn.
        connections: usize,
        /// Requests per second of all connections.
        per_second: u32,
        /// Bytes of each answer's body.
        response_bytes: usize,
    },
    /// TCP: eight bytes that ask for a message of that many bytes, one at a time on each connection.
    Messages {
        /// Connections.
        connections: usize,
        /// Bytes of a message.
        message_bytes: usize,
    },
    /// WebSocket text that is echoed, one message at a time on each connection.
    Echoes {
        /// Connections.
        connections: usize,
        /// Bytes of a message, at most 125.
        message_bytes: usize,
    },
    /// Connections that have had one request and then nothing more.
    Idle {
        /// Connections.
        connections: usize,
        /// Bytes of the one answer's body.
        response_bytes: usize,
    },
    /// Nothing: the contestant is only started.
    Nothing,
    /// Nothing: the demo is started, whose gateways are contestants too.
    Demo,
}

fn usual_path() -> String {
    "/api/items?page=2".to_owned()
}

impl Load {
    /// Bytes of each answer's body or of each message.
    pub fn response_bytes(&self) -> usize {
        match self {
            Load::Requests { response_bytes, .. }
            | Load::Streams { response_bytes, .. }
            | Load::Rate { response_bytes, .. }
            | Load::Idle { response_bytes, .. } => *response_bytes,
            Load::Messages { message_bytes, .. } | Load::Echoes { message_bytes, .. } => *message_bytes,
            Load::Nothing | Load::Demo => 0,
        }
    }

    /// The path asked for.
    pub fn path(&self) -> String {
        match self {
            Load::Requests { path, .. } => path.clone(),
            _ => usual_path(),
        }
    }
}
