//! Every limit of the data plane, by name.
//!
//! A limit that configuration can set stands here with its default; the rest are fixed. Hitting one has a
//! [`crate::error::Reason`] and a metric.

use std::time::Duration;

/// Largest request or response head on HTTP/1.1 and HTTP/2, bytes (Envoy `max_request_headers_kb`, 60 KiB).
pub const HEAD_BYTES_MAX: usize = 60 * 1024;

/// Most header fields in one head (Envoy `max_headers_count`, 100).
pub const HEADERS_COUNT_MAX: usize = 100;

/// A field's value of this many bytes, or more, is not made dynamic metadata (Envoy's header_to_metadata: 8 KiB).
pub const METADATA_VALUE_BYTES_MAX: usize = 8 * 1024;

/// Bytes one side may be ahead of the other in a relayed body or stream.
pub const RELAY_BUFFER_BYTES: usize = 64 * 1024;

/// Interim (1xx) responses kept for one request.
pub const INTERIM_RESPONSES_MAX: usize = 8;

/// Request body bytes kept for a retry (Envoy `per_request_buffer_limit_bytes` default: 1 MiB).
pub const RETRY_BUFFER_BYTES: usize = 1024 * 1024;

/// How long a closed connection is read on so that the last response is not lost to a reset
/// (Envoy `delayed_close_timeout`).
pub const DELAYED_CLOSE: Duration = Duration::from_secs(1);

/// Longest wait for a complete TLS handshake (Envoy `transport_socket_connect_timeout`).
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Steps of TLS handshakes that a worker takes before it looks at its sockets again: what a request on an established
/// connection waits for at most while a flood of handshakes comes in (about 0.1 ms each).
pub const HANDSHAKE_STEPS_PER_TURN: usize = 4;

/// Methods of gRPC with counts of their own, for each cluster.
pub const GRPC_METHODS_MAX: usize = 1000;

/// Bytes of a response that is not gRPC which a gRPC-Web client gets as `grpc-message`.
pub const GRPC_MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// How many times longer than what came a body may become that is decompressed by brotli (Envoy's bound).
pub const BROTLI_INFLATE_RATIO_MAX: u64 = 100;

/// The same for zstd, whose shortest texts are far shorter: the most that may be allowed for gzip.
pub const ZSTD_INFLATE_RATIO_MAX: u64 = 1032;

/// The widest window of zstd, bits: 8 MiB, as RFC 9659 has it.
pub const ZSTD_WINDOW_BITS_MAX: u32 = 23;

/// Trailer fields bytes after a chunked body.
pub const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// Concurrent HTTP/2 streams per downstream connection when configuration is silent.
pub const H2_STREAMS_MAX: u32 = 1024;

/// Initial HTTP/2 stream window, bytes.
pub const H2_STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// Initial HTTP/2 connection window, bytes.
pub const H2_CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Bytes of frames gathered before an HTTP/2 connection must write.
pub const H2_GATHER_BYTES: usize = 64 * 1024;

/// Bytes that are read and dropped from an HTTP/2 client to which the connection was ended.
pub const H2_GOODBYE_BYTES_MAX: usize = 1024 * 1024;

/// Concurrent requests per HTTP/3 connection when configuration is silent (Envoy's default).
pub const H3_STREAMS_MAX: u32 = 100;

/// Initial HTTP/3 stream window when configuration is silent, bytes.
pub const H3_STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// Initial HTTP/3 connection window when configuration is silent, bytes.
pub const H3_CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Bytes of responses that wait on one QUIC connection to be sent or acknowledged.
pub const QUIC_SEND_BYTES_MAX: u64 = 1024 * 1024;

/// Streams besides requests that an HTTP/3 client may open: control, two for QPACK, and some it reserves.
pub const H3_UNI_STREAMS_MAX: u32 = 8;

/// Largest HTTP/3 frame that is neither DATA nor HEADERS, bytes.
pub const H3_FRAME_BYTES_MAX: u64 = 4 * 1024;

/// Handshakes of unknown clients under way on one worker's socket from which on a client must first show that it is where
/// it says (RFC 9000 §8.1.2, Retry).
pub const QUIC_UNPROVEN_MAX: usize = 256;

/// Handshakes under way on one worker's socket; past it clients are refused.
pub const QUIC_HANDSHAKES_MAX: usize = 4096;

/// Datagrams that wait for the worker whose connection they belong to; past it they are dropped, as a network does.
pub const QUIC_STRAYS_MAX: usize = 1024;

/// Write buffers that a worker keeps for whichever connection writes next.
pub const SPARE_BUFFERS_MAX: usize = 8;

/// Largest write buffer that a worker keeps.
pub const SPARE_BUFFER_BYTES_MAX: usize = H2_GATHER_BYTES;

/// Streams that were reset here and are remembered for frames still on their way, per HTTP/2 connection.
pub const H2_RESET_STREAMS_KEPT: usize = 64;

/// Streams a client may open and reset before they are looked at, per HTTP/2 connection.
pub const H2_PENDING_RESETS_MAX: usize = 32;

/// Resets by a client before the share of its streams that it resets is judged (rapid reset, CVE-2023-44487).
pub const H2_CLIENT_RESETS_MIN: u64 = 250;

/// How long a connection without streams is kept (Envoy `idle_timeout` default).
pub const CONNECTION_IDLE: Duration = Duration::from_secs(3600);

/// Access log bytes that wait for the writing thread; past it lines are dropped and counted.
pub const ACCESS_LOG_QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// Access log lines that wait for the writing thread; past it lines are dropped and counted.
pub const ACCESS_LOG_QUEUE_LINES: usize = 16 * 1024;

/// How long an access log line waits at most before it is written (Envoy's default is 10 s).
pub const ACCESS_LOG_FLUSH: Duration = Duration::from_millis(100);

/// Most attempts of one request, whatever a retry policy or `x-envoy-max-retries` asks for.
pub const ATTEMPTS_MAX: u32 = 256;

/// Bytes of the next requests read while one is being answered on HTTP/1.1; past this the client is held back,
/// and its going away is noticed only by writing.
pub const PIPELINE_BYTES_MAX: usize = 16 * 1024;

/// Unread request body bytes that are read and dropped to keep an HTTP/1.1 connection after an early response.
pub const REQUEST_DRAIN_BYTES_MAX: u64 = 64 * 1024;

/// How long an answer is still waited for once the client closed its sending side: it may be half-closed and
/// listening, or gone.
pub const HALF_CLOSE_GRACE: Duration = Duration::from_secs(1);

/// Empty lines skipped in front of a request line (RFC 9112 §2.2).
pub const LEADING_EMPTY_LINES_MAX: usize = 4;

/// Longest request method, bytes.
pub const METHOD_BYTES_MAX: usize = 64;

/// Options in the `Connection` fields of one head.
pub const CONNECTION_OPTIONS_MAX: usize = 32;

/// One chunk's size line with its extensions, bytes.
pub const CHUNK_LINE_BYTES_MAX: usize = 1024;

/// Chunk extensions of one body together, bytes; they are dropped, so they only cost (RFC 9112 §7.1.1).
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 16 * 1024;

/// Interim (1xx) responses accepted from an upstream for one request before it counts as hostile.
pub const INTERIM_FLOOD_MAX: usize = 64;

/// Longest wait for the rest of a request head when `request_headers_timeout` is off (Envoy covers this by
/// `stream_idle_timeout`).
pub const REQUEST_HEAD_WAIT: Duration = Duration::from_secs(300);

/// Bytes of a request's body that wait for one copy of it (`request_mirror_policies`) before the copy holds its request
/// back. Envoy's default for the buffers that it takes them from.
pub const MIRROR_BUFFER_BYTES: usize = 1024 * 1024;

/// How long a copy may hold its request back, all in all; then it is given up.
pub const MIRROR_HOLD_MAX: Duration = Duration::from_secs(1);

/// How often a UDP listener that goes looks whether its last session is over.
pub const UDP_DRAIN_LOOK: Duration = Duration::from_millis(200);

/// Bytes that an `echo` filter holds of a connection.
pub const ECHO_BUFFER_BYTES: usize = 16 * 1024;

/// Bytes of what a `direct_response` network filter sends.
pub const DIRECT_RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// How long a connection without a request is kept once it is draining; closing it at once would cut off a
/// request that is on its way.
pub const DRAIN_IDLE: Duration = Duration::from_secs(5);

/// Largest PROXY protocol header, its TLVs included, bytes.
pub const PROXY_HEADER_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a ClientHello that the TLS inspector reads (Envoy's `max_client_hello_size` default).
pub const CLIENT_HELLO_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a request line that the HTTP inspector reads.
pub const REQUEST_LINE_BYTES_MAX: usize = 8 * 1024;

/// Connections on their way from the accepting worker to one other (`exact_balance`).
pub const HANDED_CONNECTIONS_MAX: usize = 1024;

/// Longest wait between attempts to accept while the system is out of file descriptors.
pub const ACCEPT_BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// How long connections have to say goodbye once the drain time is over.
pub const STOP_GRACE: Duration = Duration::from_secs(2);

/// How long an answer to an HTTP/2 keepalive PING may take when configuration does not say.
pub const H2_KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a worker looks through its pools for connections to close.
pub const POOL_SWEEP: Duration = Duration::from_secs(1);

/// Bytes of a buffer that relays one direction of a connection.
pub const COPY_BUFFER_BYTES: usize = 256 * 1024;

/// Bytes of such a buffer once [`COPY_BUFFERS_LARGE_MAX`] large ones are in use.
pub const COPY_BUFFER_SMALL_BYTES: usize = 16 * 1024;

/// Large relay buffers in use at once on one worker.
pub const COPY_BUFFERS_LARGE_MAX: usize = 64;

/// Relay buffers that a worker keeps for the next use.
pub const COPY_BUFFERS_KEPT: usize = 8;

/// Bytes of a pipe through which one direction of a connection is spliced: 1 MB was no cheaper per byte, and an
/// unprivileged user may have four times as many of these (`fs.pipe-user-pages-soft`).
pub const PIPE_BYTES: usize = 256 * 1024;

/// Bytes that a pipe must have at least to be worth splicing through.
pub const PIPE_BYTES_MIN: usize = 64 * 1024;

/// Pipes in use at once on one worker; past it bytes are copied.
pub const PIPES_IN_USE_MAX: usize = 64;

/// Pipes that a worker keeps for the next use.
pub const PIPES_KEPT: usize = 16;

/// How long no pipe is asked for once the system refused one.
pub const PIPE_REFUSED_WAIT: Duration = Duration::from_secs(1);

/// Bytes that come at once from which on the next ones are spliced: fewer cost less to copy.
pub const SPLICE_BYTES_MIN: usize = 16 * 1024;

/// Bytes of a body that `local_reply_config` puts into local answers.
pub const LOCAL_REPLY_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Keys that `/runtime_modify` may have set at once.
pub const RUNTIME_ADMIN_KEYS_MAX: usize = 10_000;

/// Bytes of a form that the admin server reads.
pub const ADMIN_FORM_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a gRPC service's answer about a request (rate limits) that are read.
pub const CALL_OUT_ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one message of an external processor that are read.
pub const CONVERSATION_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Messages of an external processor that wait to be looked at; then no more are read.
pub const CONVERSATION_MESSAGES_UNHEARD_MAX: usize = 16;

/// Bytes of a body that wait for an external processor. Envoy's default for the buffers that it takes them from.
pub const PROCESSOR_BUFFER_BYTES: usize = 1024 * 1024;

/// Pieces of a body that wait for an external processor.
pub const PROCESSOR_PIECES_MAX: usize = 1024;

/// Bytes of an answer to an active health check that are read.
pub const HEALTH_CHECK_BYTES_MAX: usize = 64 * 1024;
/// Downstream connections of a process at once (Envoy `overload.global_downstream_max_connections`).
pub const DOWNSTREAM_CONNECTIONS_MAX: usize = 1_000_000;

/// How long a request waits for its upstream before it arms a timer of its own; limits that are nearer are timed at
/// once.
pub const PATIENCE: Duration = Duration::from_millis(10);
