//! What can be asked of an accelerator, and what each kind of request brings along.
//!
//! ```text
//!          problem            search            schedule            stamp, payloads
//! Request ─────────► Problem ────────► Planned ──────────► Program ─────────────────► Stream
//!    │                                    │ cost                                        │ engine
//!    └── exact ───────► Response ◄────────┴───────────────── collect ◄────────────── packets
//! ```
//! A kind is a line of `kinds!` and a folder: a plan, the layouts of its operands and what this page's traits ask for.
//! Planner, devices, programs and packing know no kind.

use crate::conv::{ConvProblem, ConvRequest, ConvResult};
use crate::device::{Cost, Description, DeviceError};
use crate::fft::{FftProblem, FftRequest, FftResult};
use crate::gaussian::{SmoothProblem, SmoothRequest, SmoothResult};
use crate::gemm::{GemmProblem, GemmRequest, GemmResult};
use crate::layout::Matrix;
use crate::planner::{Lowered, Planned, Planner};
use crate::schedule::Program;
use tandem_kernels::Level;
use tandem_spec::engine::{Predict, UnitModel};
use tandem_spec::{Config, Instruction, Memory, Packet};

/// Declares the kinds: whatever has a case for each of them is made here.
macro_rules! kinds {
    ($($(#[$doc:meta])* $Kind:ident, $into:ident: $Request:ident, $Problem:ident, $Answer:ident;)*) => {
        /// Something to compute.
        #[derive(Clone, Copy, Debug)]
        pub enum Request<'a> {
            $($(#[$doc])* $Kind($Request<'a>),)*
        }

        /// A request without its data, for predictions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Problem {
            $($(#[$doc])* $Kind($Problem),)*
        }

        /// The answer to a [`Request`], of the same kind.
        #[derive(Clone, Debug)]
        pub enum Response {
            $($(#[$doc])* $Kind($Answer),)*
        }

        $(impl<'a> From<$Request<'a>> for Request<'a> {
            fn from(request: $Request<'a>) -> Self {
                Request::$Kind(request)
            }
        }

        impl From<$Problem> for Problem {
            fn from(problem: $Problem) -> Self {
                Problem::$Kind(problem)
            }
        })*

        impl Response {
            $(#[doc = concat!("The answer to a [`", stringify!($Request), "`].")]
            ///
            /// # Panics   if it is another one
            pub fn $into(self) -> $Answer {
                match self {
                    Response::$Kind(answer) => answer,
                    other => panic!("{} was asked for: {other:?}", stringify!($Kind)),
                }
            })*
        }

        impl Request<'_> {
            /// Its answer from a device.
            pub(crate) fn answered_by(&self, device: &mut impl Answers) -> Result<Response, DeviceError> {
                match self {
                    $(Request::$Kind(request) => device.answer(request).map(Response::$Kind),)*
                }
            }
        }

        impl Problem {
            /// How it is done; `None` if the accelerator cannot run it.
            pub(crate) fn describe(&self, planner: &mut Planner) -> Option<Description> {
                match self {
                    $(Problem::$Kind(problem) => planner.plan(problem).ok().map(|planned| planned.plan.describe()),)*
                }
            }

            /// What it will cost; `None` if the accelerator cannot run it.
            pub(crate) fn cost(&self, planner: &mut Planner) -> Option<Cost> {
                match self {
                    $(Problem::$Kind(problem) => planner.plan(problem).ok().map(|planned| planned.cost),)*
                }
            }
        }
    };
}

kinds! {
    /// An integer product.
    Gemm, into_gemm: GemmRequest, GemmProblem, GemmResult;
    /// One of the three products of a convolution.
    Conv, into_conv: ConvRequest, ConvProblem, ConvResult;
    /// Transforms on the FFT unit.
    Fft, into_fft: FftRequest, FftProblem, FftResult;
    /// Lines of pixels through the Gaussian unit.
    Smooth, into_smooth: SmoothRequest, SmoothProblem, SmoothResult;
}

/// A device that answers every kind of request the same way.
pub(crate) trait Answers {
    /// The answer to one.
    fn answer<K: RequestKind>(&mut self, request: &K) -> Result<K::Answer, DeviceError>;
}

/// What will be done, as data.
pub trait Plan {
    /// The program. Fields on which no cycle depends may be those of any request.
    fn schedule(&self, config: &Config) -> Program;

    /// What it is, in a few words.
    fn describe(&self) -> Description;

    /// What the `products` register should count.
    fn products(&self, config: &Config) -> u64;
}

/// What a plan depends on, beside the configuration.
pub trait Plannable: Copy + Into<Problem> {
    /// Its plans.
    type Plan: Plan + Send + Sync + 'static;

    /// The best plan.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if the accelerator cannot run it.
    fn search(&self, config: &Config, predict: &dyn Predict) -> Result<Planned<Self::Plan>, DeviceError>;
}

/// The plans of a kind of request.
pub type PlanOf<K> = <<K as RequestKind>::Problem as Plannable>::Plan;

/// A kind of request.
pub trait RequestKind {
    /// What its plans depend on.
    type Problem: Plannable;
    /// Its operands, checked.
    type Operands<'a>
    where
        Self: 'a;
    /// Its answer.
    type Answer;

    /// Shapes and formats.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if they are none that any accelerator takes.
    fn problem(&self) -> Result<Self::Problem, DeviceError>;

    /// The answer if there is nothing to compute: it costs nothing.
    fn nothing(&self) -> Option<Self::Answer>;

    /// Operands as the program of a plan takes them.
    ///
    /// # Errors
    /// [`DeviceError::Request`], with the position of the first value that does not fit.
    fn operands(&self, config: &Config, plan: &PlanOf<Self>) -> Result<Self::Operands<'_>, DeviceError>;

    /// The matrix that the payloads for each memory are taken from.
    fn sources<'a>(&self, plan: &PlanOf<Self>, operands: &'a Self::Operands<'_>) -> Sources<'a>;

    /// Sets the fields on which no cycle depends.
    fn stamp(&self, plan: &PlanOf<Self>, program: &mut [Instruction]);

    /// The answer in result packets, one a STORE.
    ///
    /// # Errors
    /// What is wrong, if packets contradict the plan.
    fn collect(
        &self,
        config: &Config,
        lowered: &Lowered<PlanOf<Self>>,
        operands: &Self::Operands<'_>,
        packets: &[Packet],
    ) -> Result<Self::Answer, String>;

    /// The same answer from the host.
    ///
    /// # Errors
    /// Those of [`RequestKind::operands`].
    fn exact(
        &self,
        config: &Config,
        model: &dyn UnitModel,
        level: Level,
    ) -> Result<Self::Answer, DeviceError>;

    /// Where an answer says what it cost.
    fn cost(answer: &mut Self::Answer) -> &mut Cost;
}

/// Matrices that payloads are taken from, by the memory that they are for.
#[derive(Clone, Debug)]
pub struct Sources<'a>(Vec<(Memory, Matrix<'a>)>);

impl<'a> Sources<'a> {
    /// A matrix for each memory that is filled.
    pub(crate) fn new(matrices: impl IntoIterator<Item = (Memory, Matrix<'a>)>) -> Self {
        Sources(matrices.into_iter().collect())
    }

    /// The matrix for a memory.
    pub(crate) fn of(&self, memory: Memory) -> &Matrix<'a> {
        let source = self.0.iter().find(|(of, _)| *of == memory);
        &source.expect("a source for every memory that the plan fills").1
    }
}
