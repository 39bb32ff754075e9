//! The tables, a file per subject, each with the bootstrap that it is about.

mod table;

mod chains;

pub use chains::topic as chains;
pub use table::Topic;
