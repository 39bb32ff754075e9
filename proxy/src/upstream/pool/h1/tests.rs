//! The client engine against scripted backends.
