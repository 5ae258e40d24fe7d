//! Lowers requests to instruction streams, runs them on an engine, returns exact integers.
//!
//! ```text
//! Request ─► [plan] ─► Planned ─► [schedule] ─► Program ─► [pack] ─► Stream ─► Engine
//!              │ candidates, chosen by the exact cycle model          packets ─┘
//!              │                                                         │
//!              └─► Cost ◄── Exact (integers from the host)   [unpack] ◄──┘
//! ```
//! | folder | what is in it |
//! |---|---|
//! | [`gemm`] | integer products: request, N of M, plan and its search, COMPUTE, exact product |
//! | [`conv`] | convolutions: window, walks over bands of images, matrix products where no walk is better |
//! | [`fft`] | transforms: request, plan, TRANSFORM |
//! | [`gaussian`] | lines of pixels through a window of cosines: request, plan, SMOOTH |
//! | [`codebook`] | tables of levels, and weights as codes of them |
//! | [`layout`] | where an operand's entries lie in a memory; packing |
//! | [`schedule`] | programs: what lies in which memory, tokens |
//! | [`results`] | packets as integers |
//!
//! Two devices answer the same [`Device`] trait with the same integers and the same costs: [`Offload`] runs
//! every request on an engine, [`Exact`] computes it on the host and takes its cost from the plan.
//!
//! ```
//! use ndarray::array;
//! use tandem_driver::{Device, Exact, Format, GemmRequest, Offload, Operand, ResultFormat, Sparsity};
//! use tandem_model::{CycleModel, Twin};
//! use tandem_spec::Config;
//!
//! let toml = "[array]\nrows = 2\ncols = 2\nlanes = 2\nrow_digit = 4\ncol_digit = 4\n\
//!             [memory]\nrow_depth = 8\ncol_depth = 8\nresult_depth = 8\n";
//! let config = Config::from_toml("tiny.toml", toml)?;
//! let (x, w) = (array![[1, 2, 3], [4, 5, 15]], array![[1, -8], [2, 7], [0, 3]]);
//! let request = GemmRequest {
//!     x: Operand::new(x.view(), Format::unsigned(4)),
//!     w: Operand::new(w.view(), Format::signed(4)),
//!     result: ResultFormat::Full,
//!     sparsity: Sparsity::Dense,
//! };
//!
//! let ran = Offload::new(Twin::new(&config), CycleModel).run(request.into())?.into_gemm();
//! assert_eq!(ran.y, array![[5, 15], [14, 48]]);
//! assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles);
//! let fast = Exact::new(config, CycleModel).run(request.into())?.into_gemm();
//! assert_eq!((fast.y, fast.cost), (ran.y, ran.cost));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where more belongs
//! - *A kind of request*: a line of `kinds!` in `request.rs`, and a folder beside [`gemm`] with its plan and
//!   `impl RequestKind`. Its plan may be another kind's where that is cheaper.
//! - *An operand that lies otherwise*: an [`layout::Order`].
//! - *A memory*: nothing, its shape is a row of `tandem_spec`.
//! - *A link*: one more `Engine`, used through [`Offload`].

pub mod codebook;
pub mod conv;
mod device;
mod entries;
mod exact;
mod failure;
pub mod fft;
pub mod gaussian;
pub mod gemm;
mod host;
mod integers;
pub mod layout;
mod narrow;
mod offload;
mod planner;
mod recent;
mod request;
pub mod results;
pub mod schedule;
mod traffic;

pub use codebook::{Codebook, Codes};
pub use conv::{ConvProblem, ConvProduct, ConvRequest, ConvResult, Window};
pub use device::*;
pub use entries::{Entries, Entry};
pub use exact::Exact;
pub use fft::{FftProblem, FftRequest, FftResult, ImageFft, Points, Scaling, fft_image};
pub use gaussian::{SmoothImage, SmoothProblem, SmoothRequest, SmoothResult, cosine_window, smooth_image};
pub use gemm::{GemmProblem, GemmRequest, GemmResult, Operand, Pattern, ResultFormat, Selection, Sparsity};
pub use gemm::{mismatches, reference};
pub use integers::{Integer, Integers};
pub use layout::{Scratchpad, Side};
pub use offload::Offload;
pub use planner::{Lowered, Planned, Planner};
pub use request::{Plan, Plannable, Problem, Request, RequestKind, Response};
pub use traffic::Traffic;
