//! Where identity material comes from.

pub mod material;

pub mod ca;
