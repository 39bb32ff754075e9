//! Runtime values: keys that an operator or a control plane sets while requests are served, and that overrule
//! defaults of the configuration (Envoy's `layered_runtime`).
//!
//! One rule: readers hold one [`RuntimeSnapshot`], which never changes; writers make the next one.

mod entry;

mod snapshot;

mod live;

#[cfg(test)]
mod tests;

pub use live::{LiveRuntime, ModifyError};
pub use snapshot::{LayerValues, RuntimeSnapshot};
