//! Processes: started on a core, watched by the kernel's clocks, and certainly ended.

pub mod folder;
pub mod pin;
pub mod ports;

pub mod guard;

pub mod child;

pub mod cores;
pub mod cpu;
