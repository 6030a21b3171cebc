//! The binary from outside: arguments, exit status, what goes to which stream.

mod help;
mod process;
mod queries;
mod signals;
mod usage;
mod warehouse;
