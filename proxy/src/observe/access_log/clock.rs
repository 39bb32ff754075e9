//! `%START_TIME(format)%`: strftime with Envoy's sub-second extensions, always in UTC.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

/// A parsed time format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeFormat(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// One of strftime's conversion letters.
    Letter(char),
    /// Seconds since 1970.
    EpochSeconds,
    /// So many digits of the second's fraction.
    Fraction(usize),
    /// `%E3S`: seconds with so many digits of fraction.
    SecondsWithFraction(usize),
}

const LETTERS: &str = "YCymdeHIMSpjaAbBhZzTDFRrntucxX";

impl TimeFormat {
    /// ISO 8601 with milliseconds.
    pub(super) fn iso() -> Self {
        Self::parse("%Y-%m-%dT%H:%M:%E3SZ").expect("the default format is well formed")
    }

    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            let (piece, after) = piece(&rest[at + 1..])
                .ok_or_else(|| format!("{:?} is not a supported time format", &rest[at..]))?;
            rest = after;
            match piece {
                Piece::Literal(text) => literal.push_str(&text),
                piece => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(piece);
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self(pieces))
    }

    pub(super) fn render(&self, at: SystemTime) -> String {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let date = OffsetDateTime::UNIX_EPOCH + since;
        let mut out = String::with_capacity(24);
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Letter(letter) => render_letter(&mut out, *letter, date),
                Piece::EpochSeconds => write(&mut out, format_args!("{}", since.as_secs())),
                Piece::Fraction(digits) => fraction(&mut out, since, *digits),
                Piece::SecondsWithFraction(digits) => {
                    write(&mut out, format_args!("{:02}.", date.second()));
                    fraction(&mut out, since, *digits);
                }
            }
        }
        out
    }
}

/// What stands after a percent sign, and the rest.
fn piece(text: &str) -> Option<(Piece, &str)> {
    let first = text.chars().next()?;
    let rest = &text[first.len_utf8()..];
    Some(match first {
        '%' => (Piece::Literal("%".to_owned()), rest),
        's' => (Piece::EpochSeconds, rest),
        'f' => (Piece::Fraction(9), rest),
        '1'..='9' => {
            let digits = usize::from(text.as_bytes()[0] - b'0');
            (Piece::Fraction(digits), rest.strip_prefix('f')?)
        }
        'E' => {
            let digit = rest.chars().next().filter(char::is_ascii_digit)?;
            let digits = usize::try_from(digit.to_digit(10)?).ok()?;
            let rest = &rest[1..];
            match rest.strip_prefix('S') {
                Some(rest) => (Piece::SecondsWithFraction(digits.min(9)), rest),
                None => (Piece::Fraction(digits.min(9)), rest.strip_prefix('f')?),
            }
        }
        letter if LETTERS.contains(letter) => (Piece::Letter(letter), rest),
        _ => return None,
    })
}

fn render_letter(out: &mut String, letter: char, date: OffsetDateTime) {
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let month_name = date.month().to_string();
    let weekday = date.weekday().to_string();
    match letter {
        'Y' => write(out, format_args!("{year}")),
        'C' => write(out, format_args!("{:02}", year / 100)),
        'y' => write(out, format_args!("{:02}", year % 100)),
        'm' => write(out, format_args!("{month:02}")),
        'd' => write(out, format_args!("{day:02}")),
        'e' => write(out, format_args!("{day:2}")),
        'H' => write(out, format_args!("{hour:02}")),
        'I' => write(out, format_args!("{hour12:02}")),
        'M' => write(out, format_args!("{minute:02}")),
        'S' => write(out, format_args!("{second:02}")),
        'p' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'j' => write(out, format_args!("{:03}", date.ordinal())),
        'a' => out.push_str(&weekday[..3]),
        'A' => out.push_str(&weekday),
        'b' | 'h' => out.push_str(&month_name[..3]),
        'B' => out.push_str(&month_name),
        'Z' => out.push_str("UTC"),
        'z' => out.push_str("+0000"),
        'u' => write(out, format_args!("{}", date.weekday().number_from_monday())),
        'T' | 'X' => write(out, format_args!("{hour:02}:{minute:02}:{second:02}")),
        'D' | 'x' => write(out, format_args!("{month:02}/{day:02}/{:02}", year % 100)),
        'F' => write(out, format_args!("{year}-{month:02}-{day:02}")),
        'R' => write(out, format_args!("{hour:02}:{minute:02}")),
        'r' => {
            let half = if hour < 12 { "AM" } else { "PM" };
            write(out, format_args!("{hour12:02}:{minute:02}:{second:02} {half}"));
        }
        'c' => write(
            out,
            format_args!(
                "{} {} {day:2} {hour:02}:{minute:02}:{second:02} {year}",
                &weekday[..3],
                &month_name[..3]
            ),
        ),
        'n' => out.push('\n'),
        't' => out.push('\t'),
        other => unreachable!("{other} is not in LETTERS"),
    }
}

fn fraction(out: &mut String, since: Duration, digits: usize) {
    let nanos = format!("{:09}", since.subsec_nanos());
    out.push_str(&nanos[..digits]);
}

fn write(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a string cannot fail");
}
