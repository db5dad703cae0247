//! The wire's text.
