//! What is refused, with the exact path and the words; and the older forms that are accepted.

mod accepted;

mod bootstrap;

mod cluster;

mod http;

mod listener;

mod quic;

mod route;

mod runner;

mod tls;
