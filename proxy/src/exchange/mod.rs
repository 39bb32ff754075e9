//! 2. One unit of work: a request, or a connection whose bytes are passed on.

pub mod copy;

pub mod tcp;
