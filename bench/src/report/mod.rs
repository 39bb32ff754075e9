//! What is told of a run: medians with their spread, ratios, targets met and missed; as tables and as JSON.

pub mod summary;

pub mod verdict;

pub mod table;

pub mod overview;

pub mod machine;
