//! The differences that are meant: the table in `differences.md`, read by the test that it excuses.

use harness::workspace::root;

use crate::compare::Difference;

/// What is left after the meant differences are taken away.
pub struct Judged {
    /// Differences nobody has explained.
    pub unexpected: Vec<Difference>,
    /// Explanations of differences that are no more.
    pub stale: Vec<String>,
}

struct Known {
    case: String,
    aspect: String,
    line: usize,
}

/// Takes the meant differences away. Stale lines are reported only for a whole run, not for narrowed cases.
pub fn judge(found: Vec<Difference>) -> Judged {
    let known = read();
    let mut used = vec![false; known.len()];
    let mut unexpected = Vec::new();
    for difference in found {
        let excused = known.iter().position(|one| one.excuses(&difference));
        match excused {
            Some(index) => used[index] = true,
            None => unexpected.push(difference),
        }
    }
    let narrowed = std::env::var("TOMBOLO_CASES").is_ok();
    let unused = known.iter().zip(used).filter(|(_, used)| !used && !narrowed);
    let stale = unused
        .map(|(one, _)| format!("differences.md:{}: {} | {}", one.line, one.case, one.aspect))
        .collect();
    Judged { unexpected, stale }
}

impl Known {
    fn excuses(&self, difference: &Difference) -> bool {
        matches(&self.case, &difference.case) && matches(&self.aspect, &difference.aspect)
    }
}

/// The first two columns of every row; a `*` at the end of a cell stands for any rest.
fn read() -> Vec<Known> {
    let path = root().join("tests/interop/differences.md");
    let text = std::fs::read_to_string(path).expect("the explanations lie beside the test");
    // What follows is of another test and has columns of its own.
    let text = text.split("## Attacks").next().unwrap_or_default();
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with('|')).skip(2);
    let known = rows.map(|(index, line)| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [case, aspect, .., why] = cells.as_slice() else {
            panic!("differences.md:{}: five columns are wanted: case, aspect, Envoy, Tombolo, why", index + 1)
        };
        assert!(cells.len() == 5 && !why.is_empty(), "differences.md:{}: five columns are wanted", index + 1);
        Known { case: (*case).to_owned(), aspect: (*aspect).to_owned(), line: index + 1 }
    });
    known.collect()
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => pattern == text,
    }
}

#[test]
fn a_pattern_is_whole_or_a_beginning() {
    assert!(matches("raw: *", "raw: two hosts"));
    assert!(matches("status", "status"));
    assert!(!matches("status", "status line"));
}
