//! Connections that are served without an upstream: those whose bytes are sent back, those that get a fixed answer, and
//! those that are refused.
//!
//! One rule: nothing is held of a connection but one buffer of a fixed size.

use std::future::{Future, pending};
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::limits::{DELAYED_CLOSE, ECHO_BUFFER_BYTES};

/// Sends back what comes until the client ends, or `stopped`.
pub async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin, stopped: impl Future<Output = ()>) {
    let served = async {
        let mut buffer = vec![0; ECHO_BUFFER_BYTES];
        // A client that is gone has nothing to be told.
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..read]).await.is_err() || stream.flush().await.is_err() {
                return;
            }
        }
        let _ended = stream.shutdown().await;
    };
    tokio::select! {
        () = served => {}
        () = stopped => {}
    }
}

/// Sends `bytes` and ends the connection.
pub async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
    stopped: impl Future<Output = ()>,
) {
    let served = async {
        if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
            // Closing with unread bytes would reset the connection and take the answer along.
            let _ended_or_late = timeout(DELAYED_CLOSE, drain(&mut stream)).await;
        }
    };
    tokio::select! {
        () = served => {}
        () = stopped => {}
    }
}

/// Keeps a connection that is refused for `time`, or until it breaks, and reads what it brings into nowhere. A client
/// that only ends its side is kept, too: going away and coming back would cost it nothing otherwise.
pub async fn hold(stream: &mut (impl AsyncRead + Unpin), time: Duration) {
    let held = async {
        if drain(stream).await.is_ok() {
            pending().await
        }
    };
    let _broken_or_over = timeout(time, held).await;
}

/// Reads to the end into nowhere.
async fn drain(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut nowhere = [0; 1024];
    while stream.read(&mut nowhere).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn what_comes_is_sent_back_to_the_end() {
        let (mut client, here) = duplex(64);
        let talk = async {
            client.write_all(b"one").await.unwrap();
            client.write_all(b"two").await.unwrap();
            client.shutdown().await.unwrap();
            let mut echo = Vec::new();
            client.read_to_end(&mut echo).await.unwrap();
            echo
        };
        let ((), echo) = tokio::join!(super::echo(here, pending()), talk);
        assert_eq!(echo, b"onetwo");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_followed_by_the_end() {
        let (mut client, here) = duplex(64);
        let talk = async {
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            answer
        };
        let ((), answer) = tokio::join!(super::answer(here, b"no", pending()), talk);
        assert_eq!(answer, b"no");
    }

    #[tokio::test]
    async fn a_stop_cuts_an_echo() {
        let (_client, here) = duplex(64);
        super::echo(here, std::future::ready(())).await;
    }
}
