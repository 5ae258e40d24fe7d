//! Prints the Verilog of an accelerator's FFT core alone: `cargo run -p tandem-rtl --example emit_fft -- ACCEL.toml`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: emit_fft ACCEL.toml")?;
    let config = tandem_spec::Config::from_file(std::path::Path::new(&path))?;
    let fft = config.fft.ok_or("the accelerator has no FFT unit")?;
    print!("{}", tandem_rtl::emit_fft(&fft)?.text());
    Ok(())
}
