//! HTTP/1.1 at a fixed rate, open loop: every request has its moment, whatever has been answered by then.
//!
//! One rule: a request's latency counts from its moment when the connection was still busy then, because that
//! wait is the contestant's doing; from the sending when only this thread woke up late, because that is not.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::clock::{self, Counts};
use crate::wire::http1;
use crate::work::scenario::Variant;

const REQUEST: &[u8] =
    b"GET /api/items?page=2 HTTP/1.1\r\nhost: bench.example\r\nuser-agent: bench/1\r\naccept: */*\r\n\r\n";
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// Time for all threads to be connected before the first request's moment.
const LEAD: Duration = Duration::from_millis(300);

#[derive(Default)]
struct Part {
    micros: Vec<f64>,
    bytes: u64,
    failures: u64,
    first_failure: Option<String>,
}

/// One thread per connection; they take the moments in turn.
pub fn run(
    addr: SocketAddr,
    connections: usize,
    per_second: u32,
    variant: &Variant,
) -> Result<Counts, String> {
    // The kernel may wake a sleeper 50 µs late to save power; threads inherit this. Not allowed means only noise.
    let _ = std::fs::write("/proc/self/timerslack_ns", "1");
    let first = Instant::now() + LEAD;
    let warm_up = Duration::from_millis(variant.warm_up_millis);
    let measured = Duration::from_millis(variant.measured_millis);
    let step = Duration::from_secs(1) / per_second;
    let begin = first + warm_up;
    let threads: Vec<_> = (0..connections)
        .map(|turn| {
            let moments = Moments { next: first + step * turn as u32, step: step * connections as u32 };
            std::thread::spawn(move || part(addr, moments, begin, begin + measured))
        })
        .collect();
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    clock::mark("begin")?;
    std::thread::sleep((begin + measured).saturating_duration_since(Instant::now()));
    clock::mark("end")?;
    let mut all = Part::default();
    for thread in threads {
        let part = thread.join().map_err(|_| "a load thread panicked".to_owned())?;
        all.micros.extend(part.micros);
        all.bytes += part.bytes;
        all.failures += part.failures;
        all.first_failure = all.first_failure.or(part.first_failure);
    }
    all.micros.sort_by(f64::total_cmp);
    Ok(Counts {
        answered: all.micros.len() as u64,
        bytes: all.bytes,
        failures: all.failures,
        first_failure: all.first_failure,
        seconds: measured.as_secs_f64(),
        latency_micros: quantiles(&all.micros),
    })
}

struct Moments {
    next: Instant,
    step: Duration,
}

fn part(addr: SocketAddr, mut moments: Moments, begin: Instant, end: Instant) -> Part {
    let mut part = Part::default();
    let mut connection = None;
    let mut free = Instant::now();
    while moments.next < end {
        let moment = moments.next;
        moments.next += moments.step;
        std::thread::sleep(moment.saturating_duration_since(Instant::now()));
        let from = if free > moment { moment } else { Instant::now() };
        match ask(&mut connection, addr) {
            Ok(bytes) => {
                free = Instant::now();
                if moment >= begin {
                    part.micros.push((free - from).as_secs_f64() * 1e6);
                    part.bytes += bytes;
                }
            }
            Err(reason) => {
                connection = None;
                free = Instant::now();
                part.failures += 1;
                part.first_failure.get_or_insert(reason.to_string());
            }
        }
    }
    part
}

fn ask(connection: &mut Option<TcpStream>, addr: SocketAddr) -> io::Result<u64> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect_timeout(&addr, ANSWER_DEADLINE)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
            connection.insert(stream)
        }
    };
    stream.write_all(REQUEST)?;
    let mut buffer = [0; 16 * 1024];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "closed before the answer, or it is too long",
            ));
        }
        filled += read;
        if let Some(head) = http1::head(&buffer[..filled], 200)?
            && filled >= head.head_bytes + head.body_bytes
        {
            return Ok(head.body_bytes as u64);
        }
    }
}

/// The 50th, 99th and 99.9th percentile of sorted numbers.
fn quantiles(sorted: &[f64]) -> Option<[f64; 3]> {
    let last = sorted.len().checked_sub(1)?;
    let at = |share: f64| sorted[((sorted.len() as f64 * share).ceil() as usize).clamp(1, last + 1) - 1];
    Some([at(0.5), at(0.99), at(0.999)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_number_that_so_many_do_not_exceed() {
        let numbers: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(quantiles(&numbers), Some([500.0, 990.0, 999.0]));
        assert_eq!(quantiles(&[7.0]), Some([7.0; 3]));
        assert_eq!(quantiles(&[]), None);
    }
}
