//! Where in a message the reader stands, written as people write it: `listeners[0].typed_config.rds`.

use std::fmt;

/// One step down into a message.
#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Index(usize),
    Key(String),
}

/// The steps from the top of the message to the value that is being read.
#[derive(Debug, Default)]
pub(super) struct Path(Vec<Step>);

impl Path {
    pub(super) fn field(&mut self, name: &str) {
        self.0.push(Step::Field(name.to_owned()));
    }

    pub(super) fn index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    pub(super) fn key(&mut self, key: &str) {
        self.0.push(Step::Key(key.to_owned()));
    }

    pub(super) fn up(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if place == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}
