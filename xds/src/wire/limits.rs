//! The limits of what one xDS stream may cost either side.

use std::time::Duration;

/// The largest discovery message that is received, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// How many resources one response may hold.
pub const RESOURCES_PER_RESPONSE_MAX: usize = 100_000;
/// How many names one client may subscribe to, per type.
pub const NAMES_PER_TYPE_MAX: usize = 100_000;
/// The longest resource name, in bytes.
pub const NAME_BYTES_MAX: usize = 4096;
/// How many responses may wait for the verdict of whoever applies them.
pub const VERDICTS_OUTSTANDING_MAX: usize = 64;
/// How many requests may wait for the control plane to read them.
pub const REQUESTS_QUEUED_MAX: usize = 1024;
/// How many events may wait for whoever applies them.
pub const EVENTS_QUEUED_MAX: usize = 16;
/// How many load reports may wait for the stream to carry them out.
pub const LOAD_REPORTS_QUEUED_MAX: usize = 4;
/// How many commands may wait for the stream to carry them out.
pub const COMMANDS_QUEUED_MAX: usize = 256;
/// The longest text that a NACK carries, in bytes.
pub const NACK_MESSAGE_BYTES_MAX: usize = 16 << 10;
/// How many resources a NACK names in its details.
pub const NACK_DETAILS_MAX: usize = 256;
/// A server closes a response near this size and sends the rest once the first part is acknowledged; peers with
/// gRPC's default settings receive at most 4 MB at once.
pub const RESPONSE_BYTES_SOFT_MAX: usize = 2 << 20;
/// How long a server waits for the first request, which says who the client is.
pub const HELLO_WAIT: Duration = Duration::from_secs(10);
/// How long a client waits for a subscribed resource, in state-of-the-world mode, before it counts as missing.
pub const MISSING_AFTER: Duration = Duration::from_secs(15);
/// A stream that lived this long and ends in peace is opened again at once: control planes end old streams on purpose.
pub const PEACEFUL_STREAM_AGE: Duration = Duration::from_secs(10);
