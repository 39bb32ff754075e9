//! Puts exchanges through the proxies and collects what their backends received.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use harness::client;
use harness::raw_backend::What;

use crate::generate::{self, Exchange};
use crate::proxies::{LANES, Lane, Proxy};

/// Exchanges of a lane between two looks at its backend.
const PER_LANE: usize = 40;

/// A proxy that is silent so long waits for more bytes, which will never come.
const SILENCE: Duration = Duration::from_millis(120);

const FENCE: &str = "/fence";

/// What each proxy's backends received, for each lane.
pub type Seen = Vec<Vec<Vec<What>>>;

/// The next exchanges, for each lane.
pub fn batch(seed: u64, number: &mut u64) -> Vec<Vec<Exchange>> {
    let mut next = || {
        *number += 1;
        generate::exchange(seed, *number)
    };
    (0..LANES).map(|_| (0..PER_LANE).map(|_| next()).collect()).collect()
}

/// Puts every lane's exchanges through every proxy.
pub fn through(proxies: &mut [Proxy], exchanges: &[Vec<Exchange>]) -> Seen {
    let seen = std::thread::scope(|scope| {
        let running: Vec<Vec<_>> = proxies
            .iter()
            .map(|proxy| {
                let lanes = proxy.lanes.iter().zip(exchanges);
                lanes.map(|(lane, exchanges)| scope.spawn(move || drive(lane, exchanges))).collect()
            })
            .collect();
        let collect = |lanes: Vec<std::thread::ScopedJoinHandle<'_, Vec<What>>>| {
            lanes.into_iter().map(|lane| lane.join().expect("a lane does not panic")).collect()
        };
        running.into_iter().map(collect).collect()
    });
    for proxy in proxies {
        proxy.assert_running();
    }
    seen
}

fn drive(lane: &Lane, exchanges: &[Exchange]) -> Vec<What> {
    lane.backend.take();
    for exchange in exchanges {
        talk(lane.addr, &exchange.bytes);
    }
    // Once this is answered, everything before it has reached the backend.
    let fence = client::get(lane.addr, "a.test", FENCE);
    assert!(fence.as_ref().is_ok_and(|answer| answer.status == 200), "the fence was answered by {fence:?}");
    let seen = lane.backend.take().into_iter().map(|seen| seen.what);
    seen.filter(|what| !matches!(what, What::Request(request) if request.target == FENCE)).collect()
}

/// Writes everything and reads until the other side closes or is silent. What it says does not matter here, nor
/// does an error: the other side may refuse at any byte.
fn talk(addr: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(addr).expect("the proxy listens");
    stream.set_read_timeout(Some(SILENCE)).expect("a timeout that is not zero");
    stream.set_write_timeout(Some(Duration::from_secs(3))).expect("a timeout that is not zero");
    if stream.write_all(bytes).is_err() {
        return;
    }
    let mut chunk = [0; 16 * 1024];
    while stream.read(&mut chunk).is_ok_and(|read| read > 0) {}
}
