//! Both sides wired together without a network, then with one.

mod history;
mod pair;

mod client;
mod server;

mod sockets;
