//! Reads the sources and says where they leave the house rules: imports, cycles, sizes, leftovers, names,
//! and the commands and files that the README and `configs/` promise.
//!
//! One rule: a finding names the file and the line, and says what is accepted there.

mod finding;

mod tree;

mod imports;

mod arrows;

mod cycles;

mod names;

mod sizes;

mod leftovers;

mod readme;

mod configs;
