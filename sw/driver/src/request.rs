//! What can be asked of an accelerator, and what each kind of request brings along.
//!
//! ```text
//!          problem            search            schedule            stamp, payloads
//! Request ─────────► Problem ────────► Planned ──────────► Program ─────────────────► Stream
//!    │                                    │ cost                                        │ engine
//!    └── exact ───────► Response ◄────────┴───────────────── collect ◄────────────── packets
//! ```
//! A kind is a variant of [`Request`], [`Problem`] and [`Response`] and a folder: a plan, the layouts of its operands
//! and what this page's traits ask for. Planner, programs and packing know no kind.

use crate::device::{Cost, DeviceError};
use crate::fft::{FftProblem, FftRequest, FftResult};
use crate::gemm::{GemmProblem, GemmRequest, GemmResult};
use crate::layout::Matrix;
use crate::planner::{Lowered, Planned};
use crate::schedule::Program;
use tandem_spec::engine::{Predict, Transforms};
use tandem_spec::{Config, Instruction, Memory, Packet};

/// Something to compute.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// An integer product.
    Gemm(GemmRequest<'a>),
    /// Transforms on the FFT unit.
    Fft(FftRequest<'a>),
}

impl<'a> From<GemmRequest<'a>> for Request<'a> {
    fn from(request: GemmRequest<'a>) -> Self {
        Request::Gemm(request)
    }
}

impl<'a> From<FftRequest<'a>> for Request<'a> {
    fn from(request: FftRequest<'a>) -> Self {
        Request::Fft(request)
    }
}

/// A request without its data, for predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// An integer product.
    Gemm(GemmProblem),
    /// Transforms.
    Fft(FftProblem),
}

impl From<GemmProblem> for Problem {
    fn from(problem: GemmProblem) -> Self {
        Problem::Gemm(problem)
    }
}

impl From<FftProblem> for Problem {
    fn from(problem: FftProblem) -> Self {
        Problem::Fft(problem)
    }
}

/// The answer to a [`Request`], of the same kind.
#[derive(Clone, Debug)]
pub enum Response {
    /// A product.
    Gemm(GemmResult),
    /// Spectra.
    Fft(FftResult),
}

impl Response {
    /// The answer to a [`GemmRequest`].
    ///
    /// # Panics   if it is another one
    pub fn into_gemm(self) -> GemmResult {
        match self {
            Response::Gemm(result) => result,
            other => panic!("a product was asked for: {other:?}"),
        }
    }

    /// The answer to an [`FftRequest`].
    ///
    /// # Panics   if it is another one
    pub fn into_fft(self) -> FftResult {
        match self {
            Response::Fft(result) => result,
            other => panic!("transforms were asked for: {other:?}"),
        }
    }
}

/// What will be done, as data.
pub trait Plan {
    /// The program. Fields on which no cycle depends may be those of any request.
    fn schedule(&self, config: &Config) -> Program;

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

    /// Operands as a program takes them.
    ///
    /// # Errors
    /// [`DeviceError::Request`], with the position of the first value that does not fit, or if there is nothing to
    /// compute.
    fn operands(&self, config: &Config) -> Result<Self::Operands<'_>, DeviceError>;

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
    fn exact(&self, config: &Config, model: &dyn Transforms) -> Result<Self::Answer, DeviceError>;

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
