//! Functions for any DataFusion: one function, one file
