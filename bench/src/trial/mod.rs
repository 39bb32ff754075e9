//! Trials: one contestant, one variant, once, in fresh processes; and the rounds of them, in which everybody takes
//! turns, so that a busy machine is unfair to all alike.

pub mod measurement;

pub mod stage;

pub mod conversation;

mod demo;

pub mod measure;

pub mod rounds;
