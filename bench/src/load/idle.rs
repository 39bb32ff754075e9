//! Connections that have had one request and stay open.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::clock::{self, Counts};
use super::tally::Tally;
use super::target::{Open, Target};
use super::{http1, http2};
use crate::work::setup::Protocol;

/// Connections that are being opened at the same time.
const OPENING: usize = 32;

/// Opens them, lets the proxy come to rest, and holds them while the parent looks at the memory.
pub async fn run(
    target: &Rc<Target>,
    tally: &Rc<Tally>,
    connections: usize,
    settle: Duration,
) -> Result<Counts, String> {
    clock::mark("begin")?;
    let begun = Instant::now();
    let mut opening = tokio::task::JoinSet::new();
    for part in 0..OPENING {
        let share = connections / OPENING + usize::from(part < connections % OPENING);
        let (target, tally) = (target.clone(), tally.clone());
        opening.spawn_local(async move { open_some(&target, &tally, share).await });
    }
    let held: Vec<Open> = opening.join_all().await.into_iter().flatten().collect();
    let seconds = begun.elapsed().as_secs_f64();
    tokio::time::sleep(settle).await;
    clock::mark("end")?;
    let after = (held.len() as u64, 0);
    Ok(clock::counts(tally, (0, 0), after, seconds))
}

async fn open_some(target: &Target, tally: &Tally, count: usize) -> Vec<Open> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        match open(target).await {
            Ok(open) => held.push(open),
            Err(reason) => {
                tally.failed(&reason.to_string());
                return held;
            }
        }
    }
    held
}

async fn open(target: &Target) -> io::Result<Open> {
    let mut open = target.open().await?;
    match (&mut open, target.front) {
        (Open::Plain(stream), Protocol::Http2) => http2::ask_once(stream, target, false).await?,
        (Open::Tls(stream), Protocol::Http2) => http2::ask_once(&mut **stream, target, true).await?,
        (Open::Plain(stream), _) => drop(http1::ask_once(stream, target).await?),
        (Open::Tls(stream), _) => drop(http1::ask_once(&mut **stream, target).await?),
    }
    Ok(open)
}
