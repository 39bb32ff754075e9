//! The tables, a file per subject, each with the bootstrap that it is about.

mod table;

mod chains;

mod proxied;

mod udp;

pub use chains::topic as chains;
pub use proxied::topic as proxied;
pub use table::Topic;
pub use udp::topic as udp;
