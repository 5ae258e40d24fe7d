//! The frequency domain: frames, spectra and their contraction, for [layers](crate::layers::spectral) that multiply there.
//!
//! ```text
//! x ─ frame ─► planes ─ FFT ─► X̂ [bin][row, channel] ─ X̂·A ─► Ŷ [bin][row, output] ─ inverse ─► planes ─ frame ─► y
//! ```
//!
//! A [`Frame`](frame::Frame) cuts signals into real planes of N points. Two planes share a complex transform
//! ([`hermitian`]), half of the bins is enough ([`bins::Bins`]), and in each bin the channels meet in a complex
//! matrix product, which is a real one of twice the size ([`contraction`]):
//!
//! ```text
//! [Re Y | Im Y] = [Re X | Im X] · |  Re A  Im A |        dX = dY·Aᴴ: the transpose of the same real matrix
//!                                 | −Im A  Re A |        dA = Xᴴ·dY
//! ```
//!
//! A = conj(Ŵ) correlates (a convolution layer), A = Ŵ convolves (a circulant matrix). A bin whose mask keeps nothing
//! takes part in none of the three products.
//!
//! [`power::Power`] is what scores of [pruning](crate::prune) see of a layer's input.
//!
//! # Source   Mathieu, Henaff, LeCun, "Fast training of convolutional networks through FFTs", 2014 (products in the
//! frequency domain); deviation: tiles (overlap-save) instead of whole images

pub mod bins;
pub mod contraction;
pub mod frame;
pub mod hermitian;
pub mod power;
pub mod quantize;
pub mod reference;
pub mod transform;
