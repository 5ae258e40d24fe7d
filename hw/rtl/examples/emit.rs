//! Prints an accelerator's Verilog: `cargo run -p tandem-rtl --example emit -- ACCEL.toml`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: emit ACCEL.toml")?;
    let config = tandem_spec::Config::from_file(std::path::Path::new(&path))?;
    print!("{}", tandem_rtl::emit(&config)?.text());
    Ok(())
}
