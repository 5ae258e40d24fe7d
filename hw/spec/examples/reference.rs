//! Prints what docs/ holds of the tables: `cargo run -p tandem-spec --example reference > docs/reference.md`, and with `keys`
//! the accelerators' part of docs/configuration.md.

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("keys") => print!("{}", tandem_spec::reference::keys()),
        _ => print!("{}", tandem_spec::reference::markdown()),
    }
}
