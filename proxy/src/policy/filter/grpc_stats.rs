//! Counts of gRPC calls (`envoy.filters.http.grpc_stats`): which calls, and where their messages begin.

use std::collections::HashSet;
use std::sync::Arc;

use xds::model::{self, GrpcStatsMethods};

use crate::body::{RequestHead, ResponseHead};
use crate::policy::facts;
use crate::upstream::{Call, Cluster};

/// Bytes of a length (gRPC over HTTP/2, "Length-Prefixed-Message").
const LENGTH_BYTES: usize = 4;

/// The filter in a chain.
#[derive(Debug)]
pub struct GrpcStats {
    methods: Methods,
    /// Whether the time is measured that upstreams take.
    pub measures_time: bool,
}

/// Which methods have counts of their own.
#[derive(Debug)]
enum Methods {
    None,
    All { without_dots: bool },
    Listed(HashSet<(String, String)>),
}

impl GrpcStats {
    /// Takes `model` over.
    #[must_use]
    pub fn new(model: &model::GrpcStats) -> Self {
        let model::GrpcStats { methods, enable_upstream_stats, replace_dots_in_grpc_service_name } = model;
        let methods = match methods {
            GrpcStatsMethods::None => Methods::None,
            GrpcStatsMethods::All => Methods::All { without_dots: *replace_dots_in_grpc_service_name },
            GrpcStatsMethods::Listed(methods) => Methods::Listed(methods.iter().cloned().collect()),
        };
        Self { methods, measures_time: *enable_upstream_stats }
    }

    /// Where a request to `cluster` is counted; `None` if it is no call.
    #[must_use]
    pub fn call(&self, head: &RequestHead, cluster: &Cluster) -> Option<Arc<Call>> {
        if !facts::is_grpc(&head.headers) {
            return None;
        }
        let (service, method) = method(&head.path)?;
        Some(match &self.methods {
            Methods::None => cluster.calls().of(None),
            Methods::All { without_dots: false } => cluster.calls().of(Some((service, method))),
            Methods::All { without_dots: true } => {
                cluster.calls().of(Some((&service.replace('.', "_"), method)))
            }
            Methods::Listed(listed) => {
                let key = (service.to_owned(), method.to_owned());
                cluster.calls().of(listed.contains(&key).then_some((service, method)))
            }
        })
    }
}

/// Whether a response with a body has messages.
#[must_use]
pub fn has_messages(head: &ResponseHead) -> bool {
    head.status == http::StatusCode::OK && facts::is_grpc(&head.headers)
}

/// `/service/method` (gRPC over HTTP/2, "Path").
fn method(path: &str) -> Option<(&str, &str)> {
    let path = path.split('?').next().unwrap_or_default();
    let mut words = path.split('/').filter(|word| !word.is_empty());
    match (words.next(), words.next(), words.next()) {
        (Some(service), Some(method), None) => Some((service, method)),
        _ => None,
    }
}

/// Counts messages of a body that comes in pieces.
#[derive(Debug, Default)]
pub struct Messages {
    /// Bytes of the length that are here, once the flags are.
    length: Option<(usize, u32)>,
    /// Bytes of the message to come.
    left: usize,
}

impl Messages {
    /// How many messages begin in `data`, which follows what came before.
    pub fn begun(&mut self, mut data: &[u8]) -> u64 {
        let mut begun = 0;
        while !data.is_empty() {
            if self.left > 0 {
                let now = self.left.min(data.len());
                self.left -= now;
                data = &data[now..];
                continue;
            }
            let byte = data[0];
            data = &data[1..];
            self.length = match self.length {
                None => {
                    begun += 1;
                    Some((0, 0))
                }
                Some((have, length)) => {
                    let length = length << 8 | u32::from(byte);
                    if have + 1 < LENGTH_BYTES {
                        Some((have + 1, length))
                    } else {
                        self.left = length as usize;
                        None
                    }
                }
            };
        }
        begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_service_and_a_method() {
        for (path, expected) in [
            ("/shop.Cart/Add", Some(("shop.Cart", "Add"))),
            ("/shop.Cart/Add?a=/b", Some(("shop.Cart", "Add"))),
            ("//shop.Cart//Add/", Some(("shop.Cart", "Add"))),
            ("/shop.Cart", None),
            ("/", None),
            ("/a/b/c", None),
        ] {
            assert_eq!(method(path), expected, "{path}");
        }
    }

    #[test]
    fn messages_are_counted_in_pieces_of_any_size() {
        let message = |bytes: usize| {
            let mut message = vec![0];
            message.extend_from_slice(&u32::try_from(bytes).unwrap().to_be_bytes());
            message.resize(message.len() + bytes, 9);
            message
        };
        let bytes = [message(3), message(0), message(1000), message(1)].concat();
        for piece in [1, 2, 5, 7, 100, bytes.len()] {
            let mut messages = Messages::default();
            let begun: u64 = bytes.chunks(piece).map(|piece| messages.begun(piece)).sum();
            assert_eq!(begun, 4, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_message_counts_from_its_first_byte() {
        assert_eq!(Messages::default().begun(&[0]), 1);
        assert_eq!(Messages::default().begun(&[]), 0);
    }
}
