//! How a module that Python loads is linked: on some systems it has to be told that Python brings
//! its own symbols.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
