//! The HTTP/1.1 engine attacked with raw bytes, from both sides: requests that smuggle, responses that lie.
//!
//! Each case goes through our proxy and through Envoy, at once and one byte per segment, to a backend that reads by
//! the letter. One rule: no case may put a request at the backend that its client did not legitimately send, nor
//! leave a connection in use whose state is in doubt.

mod lane;

mod outcome;

mod case;

mod run;

mod requests;

mod responses;
