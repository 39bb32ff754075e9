//! Every bound of the control API, by name.
//!
//! One rule: nothing that a client or a proxy sends can grow memory, a file or a wait without a
//! limit that stands here.

use std::time::Duration;

/// Bytes of one request body: a whole mesh applied at once.
pub const REQUEST_BODY_BYTES_MAX: usize = 8 << 20;
/// Bytes of a signing request: a CSR and a token.
pub const SIGN_BODY_BYTES_MAX: usize = 64 << 10;
/// Documents in one apply.
pub const APPLY_DOCUMENTS_MAX: usize = 5_000;
/// Resources of one kind.
pub const OBJECTS_PER_KIND_MAX: usize = 20_000;
/// Instances of one service.
pub const SERVICE_INSTANCES_MAX: usize = 2_000;
/// Resources in one page of a list.
pub const LIST_PAGE_MAX: usize = 500;
/// Bytes of one stored document.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// Certificates in one bundle.
pub const BUNDLE_CERTIFICATES_MAX: usize = 32;
/// Bytes of a trust domain name (SPIFFE ID, section 2.1).
pub const TRUST_DOMAIN_BYTES_MAX: usize = 255;
/// Bytes of a SPIFFE ID (SPIFFE ID, section 2.3).
pub const SPIFFE_ID_BYTES_MAX: usize = 2048;

/// Changes that are kept for watchers that come back.
pub const WATCH_HISTORY: u64 = 10_000;
/// Changes that a slow watcher may be behind before it must list again.
pub const WATCH_QUEUE: usize = 1_024;
/// Watches open at once.
pub const WATCHES_MAX: usize = 256;

/// How long a join token can be used when its document does not say.
pub const JOIN_TOKEN_TTL_DEFAULT: Duration = Duration::from_secs(3600);
/// How long a join token can be used at most.
pub const JOIN_TOKEN_TTL_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a token that was used or has expired can still be looked at.
pub const SPENT_TOKEN_KEPT: Duration = Duration::from_secs(3600);
/// Between two looks for such tokens.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How long an SVID of a proxy is valid when the options do not say.
pub const SVID_TTL_DEFAULT: Duration = Duration::from_secs(3600);
/// The shortest validity of an SVID that can be asked for.
pub const SVID_TTL_MIN: Duration = Duration::from_secs(2);
/// The longest validity of an SVID that can be asked for.
pub const SVID_TTL_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// How far before now a certificate becomes valid, for clocks that are behind.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// How long the issuing certificate is valid; it is renewed when less than a third is left.
pub const ISSUING_TTL: Duration = Duration::from_secs(90 * 24 * 3600);
/// How long the root certificate is valid.
pub const ROOT_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Connections at once, for each of the two listeners.
pub const CONNECTIONS_MAX: usize = 4_096;
/// For a client to finish its TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a client to send its request head.
pub const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Between probes of an HTTP/2 connection on which nothing moves.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// For the answer to a probe.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a connection to end by itself after it was asked to.
pub const CONNECTION_GRACE: Duration = Duration::from_secs(2);
/// For a request other than a watch to be answered.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// For what is under way to finish at shutdown.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Proxies whose last state is remembered, connected or not.
pub const PROXIES_REMEMBERED_MAX: usize = 10_000;
/// Bytes of a proxy's refusal that are kept.
pub const NACK_BYTES_MAX: usize = 4 << 10;
/// Bytes of one discovery request.
pub const DISCOVERY_REQUEST_BYTES_MAX: usize = 4 << 20;
/// Priorities of a service: Envoy's bound on how many a cluster may have.
pub const PRIORITIES_MAX: usize = 128;
