//! When a measurement begins and ends, agreed with the parent, and what came of it.

use std::io::{BufRead, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::tally::Tally;
use crate::work::scenario::Variant;

/// What came of a load.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Requests answered as they should be within the measured time.
    pub answered: u64,
    /// Bytes of payload in these answers.
    pub bytes: u64,
    /// Requests and connections that failed, from the first one on.
    pub failures: u64,
    /// What the first failure was.
    pub first_failure: Option<String>,
    /// The measured time.
    pub seconds: f64,
    /// Latency in microseconds at the 50th, 99th and 99.9th percentile, where it is measured.
    pub latency_micros: Option<[f64; 3]>,
}

/// Measures for the time that the variant gives, or until there is nothing left to ask for.
pub async fn timed(variant: &Variant, tally: &Rc<Tally>, mut asking: JoinSet<()>) -> Result<Counts, String> {
    wait(&mut asking, Duration::from_millis(variant.warm_up_millis)).await;
    mark("begin")?;
    let before = tally.so_far();
    let begun = Instant::now();
    wait(&mut asking, Duration::from_millis(variant.measured_millis)).await;
    let after = tally.so_far();
    let seconds = begun.elapsed().as_secs_f64();
    mark("end")?;
    Ok(counts(tally, before, after, seconds))
}

/// Waits until everything asked for is answered; the parent does not look at clocks meanwhile.
pub async fn counted(tally: &Rc<Tally>, asking: JoinSet<()>) -> Result<Counts, String> {
    let begun = Instant::now();
    asking.join_all().await;
    Ok(counts(tally, (0, 0), tally.so_far(), begun.elapsed().as_secs_f64()))
}

/// The counts between two looks at a tally.
pub fn counts(tally: &Tally, before: (u64, u64), after: (u64, u64), seconds: f64) -> Counts {
    let (failures, first_failure) = tally.failures();
    let (answered, bytes) = (after.0 - before.0, after.1 - before.1);
    Counts { answered, bytes, failures, first_failure, seconds, latency_micros: None }
}

async fn wait(asking: &mut JoinSet<()>, time: Duration) {
    let all = async { while asking.join_next().await.is_some() {} };
    // Which of the two comes first does not matter: the rate is counted by the time that passed.
    let _ = tokio::time::timeout(time, all).await;
}

/// Tells the parent, and stands still until it has read the clocks.
pub fn mark(line: &str) -> Result<(), String> {
    say(line)?;
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) => Err("the parent has gone".to_owned()),
        Ok(_) => Ok(()),
        Err(e) => Err(format!("stdin: {e}")),
    }
}

/// Tells the parent what came of it.
pub fn tell(counts: &Counts) -> Result<(), String> {
    say(&serde_json::to_string(counts).map_err(|e| e.to_string())?)
}

fn say(line: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).map_err(|e| format!("stdout: {e}"))
}
