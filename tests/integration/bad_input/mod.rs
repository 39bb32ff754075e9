//! Bad input of every kind: one clear error says what is wrong, where, and what is accepted; nothing is half
//! applied; what ran keeps running.
//!
//! One rule: beside everything that is refused something good is running, and it is asked before and after.

mod refusal;

mod proxy;

mod bootstrap;

mod certificates;

mod ports;

mod resource_files;

mod resources;

mod control;

mod store;

mod disk;

mod full_disk;

mod start_order;
