//! Raw bytes against the grammar.
