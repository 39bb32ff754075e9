//! The CA of the control API as a source of SVIDs.
