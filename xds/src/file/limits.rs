//! The limits of what a configuration file may cost to read.

/// The largest text that is read, in bytes.
pub(super) const FILE_BYTES_MAX: usize = 64 << 20;
/// How deep lists and mappings may nest; protobuf itself stops at 100 messages inside each other.
pub(super) const DEPTH_MAX: usize = 96;
/// How many values one text may hold.
pub(super) const NODES_MAX: usize = 2_000_000;
/// How many parser events the aliases of one text may replay, against alias bombs.
pub(super) const ALIAS_REPLAY_EVENTS_MAX: usize = 200_000;
/// How deep aliases may refer to anchors that hold aliases.
pub(super) const ALIAS_REPLAY_DEPTH_MAX: usize = 8;
/// The stack of the thread that parses.
pub(super) const PARSE_STACK_BYTES: usize = 64 << 20;
/// How many field names an error about an unknown field lists.
pub(super) const FIELD_NAMES_SHOWN_MAX: usize = 8;
/// How much of a found value an error repeats.
pub(super) const FOUND_SHOWN_CHARS_MAX: usize = 80;
/// How deep a shown message may nest, counting through `Any`, whose own nesting protobuf does not bound.
pub(super) const SHOWN_DEPTH_MAX: usize = 128;
