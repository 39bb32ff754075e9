//! Both sides wired together without a network: whatever happens on the way, the client ends with the world.

mod history;
mod pair;
