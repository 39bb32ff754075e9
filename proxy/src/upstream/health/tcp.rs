//! TCP checks: connecting is enough, or bytes are sent and pieces expected in the answer.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xds::model::{Address, TcpHealthCheck};

use super::dial;
use super::problem::Problem;
use crate::codec::io::Stream;
use crate::limits::HEALTH_CHECK_BYTES_MAX;
use crate::upstream::host::Host;

/// Asks over TCP.
#[derive(Debug)]
pub(super) struct Asker {
    check: TcpHealthCheck,
    address: Address,
    stream: Option<Stream>,
}

impl Asker {
    pub(super) fn new(check: TcpHealthCheck, address: Address) -> Self {
        Self { check, address, stream: None }
    }

    pub(super) async fn ask(&mut self, host: &Host) -> Result<(), Problem> {
        let mut stream = match self.stream.take() {
            // A connection that says nothing proves nothing: without an answer each check connects anew.
            Some(stream) if !self.check.receive.is_empty() => stream,
            _ => dial::connect(host, &self.address, None).await?,
        };
        if !self.check.send.is_empty() {
            stream.write_all(&self.check.send).await.map_err(Problem::unreachable)?;
            stream.flush().await.map_err(Problem::unreachable)?;
        }
        let mut answer = Vec::new();
        while !holds_in_order(&answer, &self.check.receive) {
            let read = stream.read_buf(&mut answer).await.map_err(Problem::unreachable)?;
            if read == 0 {
                return Err(Problem::unreachable("the connection ended before the answer did"));
            }
            if answer.len() > HEALTH_CHECK_BYTES_MAX {
                return Err(Problem::failed("the answer is longer than accepted"));
            }
        }
        self.stream = Some(stream);
        Ok(())
    }
}

/// Whether `pieces` stand in `bytes`, one after the other.
fn holds_in_order(bytes: &[u8], pieces: &[Vec<u8>]) -> bool {
    let mut rest = bytes;
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        let found = rest.windows(piece.len()).position(|window| window == piece);
        match found {
            Some(position) => rest = &rest[position + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_must_stand_in_order_and_may_have_anything_between() {
        for (bytes, pieces, want) in [
            ("+PONG\r\n", vec!["PONG"], true),
            ("a b c", vec!["a", "c"], true),
            ("c a", vec!["a", "c"], false),
            ("aa", vec!["a", "a"], true),
            ("a", vec!["a", "a"], false),
            ("anything", vec![], true),
        ] {
            let pieces: Vec<_> = pieces.into_iter().map(|piece| piece.as_bytes().to_vec()).collect();
            assert_eq!(holds_in_order(bytes.as_bytes(), &pieces), want, "{bytes:?} and {pieces:?}");
        }
    }
}
