//! What a service is sent of requests and responses.

use xds::model::{BodyMode, Half, ProcessingMode, SendMode};

/// What a service is sent of each half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    heads: [bool; 2],
    bodies: [BodyMode; 2],
    trailers: [bool; 2],
}

/// The index of a half, wherever there is one of a thing for each.
#[must_use]
pub fn at(half: Half) -> usize {
    match half {
        Half::Request => 0,
        Half::Response => 1,
    }
}

impl Modes {
    /// Nothing is sent.
    const NONE: Self = Self { heads: [false; 2], bodies: [BodyMode::None; 2], trailers: [false; 2] };

    /// As configuration has it.
    #[must_use]
    pub fn of(mode: ProcessingMode) -> Self {
        let mut modes = Self { heads: [true; 2], ..Self::NONE };
        modes.change(mode);
        modes
    }

    /// What `mode` does not say stays.
    pub fn change(&mut self, mode: ProcessingMode) {
        let ProcessingMode {
            request_headers,
            response_headers,
            request_body,
            response_body,
            request_trailers,
            response_trailers,
        } = mode;
        let sends = |before: &mut bool, mode| match mode {
            SendMode::Default => {}
            SendMode::Send => *before = true,
            SendMode::Skip => *before = false,
        };
        sends(&mut self.heads[0], request_headers);
        sends(&mut self.heads[1], response_headers);
        sends(&mut self.trailers[0], request_trailers);
        sends(&mut self.trailers[1], response_trailers);
        self.bodies = [request_body, response_body];
    }

    /// Whether the half's head is sent.
    #[must_use]
    pub fn head(&self, half: Half) -> bool {
        self.heads[at(half)]
    }

    /// How its body is sent.
    #[must_use]
    pub fn body(&self, half: Half) -> BodyMode {
        self.bodies[at(half)]
    }

    /// Whether its trailers are sent.
    #[must_use]
    pub fn trailers(&self, half: Half) -> bool {
        self.trailers[at(half)]
    }

    /// How both bodies are sent.
    #[must_use]
    pub fn bodies(&self) -> (BodyMode, BodyMode) {
        (self.bodies[0], self.bodies[1])
    }

    /// Nothing more of the half's body is sent.
    pub fn finish_body(&mut self, half: Half) {
        self.bodies[at(half)] = BodyMode::None;
    }

    /// Nothing more of the half is sent.
    pub fn finish(&mut self, half: Half) {
        self.bodies[at(half)] = BodyMode::None;
        self.trailers[at(half)] = false;
    }
}
