//! What one worker's tasks share.
//!
//! One rule: it never leaves its worker.

use std::rc::Rc;
use std::sync::Arc;

use super::chain_drains::ChainDrains;
use super::turns::Turns;
use crate::exchange::context::Worker;
use crate::snapshot::Live;

/// Shared by the tasks of one worker.
pub(super) struct Local {
    pub(super) live: Arc<Live>,
    pub(super) worker: Rc<Worker>,
    pub(super) drains: ChainDrains,
    pub(super) handshakes: Turns,
}
