//! The protocols by the letter: suites and tables that say, case by case, what a specification asks of a proxy.
//!
//! One rule: every case names the section that it is from.

mod h2spec;

mod http1;

mod http3;
