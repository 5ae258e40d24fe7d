//! Prints the reference page: `cargo run -p tandem-spec --example reference > docs/reference.md`.

fn main() {
    print!("{}", tandem_spec::reference::markdown());
}
