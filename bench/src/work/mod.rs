//! What is measured, as plain data: read from `bench/scenarios/`, carried out by others.

pub mod quantity;
pub mod setup;

pub mod load;

pub mod target;

pub mod scenario;
