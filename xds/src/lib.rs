//! The language of the mesh.
//!
//! `model` says what resources mean, as plain data that is valid by construction. `decode` and `encode` turn
//! Envoy's v3 protobuf messages into it and back; `file` reads and writes those messages as YAML and JSON;
//! `wire` carries them over xDS streams. Nothing here opens a socket on its own or knows a proxy.

pub mod decode;
pub mod encode;
pub mod model;

pub mod file;

pub mod wire;
