//! The way itself, on one page.
