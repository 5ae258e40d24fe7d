//! What a product of a convolution will do on the accelerator, decided before anything runs.

use super::gradient::{self, Gradient};
use super::request::{ConvProblem, ConvProduct};
use super::rows::Rows;
use super::stage::{self, Block, Stage};
use super::walk::{self, Walk};
use crate::device::Description;
use crate::gemm::{GemmPlan, ResultWidth, longest_sum};
use crate::layout::Layout;
use crate::request::Plan;
use crate::schedule::Program;
use std::sync::Arc;
use tandem_spec::{Config, StoreWidth};

/// How a product runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lowering {
    /// A forward product or input gradient as a walk over bands of images.
    Walk(walk::Form),
    /// A weight gradient as a walk.
    Gradient(gradient::Form),
    /// A matrix product.
    Rows(Rows, Box<GemmPlan>),
}

/// A product's plan: plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvPlan {
    /// What it computes.
    pub problem: ConvProblem,
    /// How.
    pub lowering: Lowering,
    /// Width of results on the link.
    pub transport: StoreWidth,
    /// Why it is a matrix product, if it is one.
    pub declined: Option<String>,
    /// Of a walk: bands, COMPUTEs and what is loaded at last.
    pub(super) stages: Arc<[Stage]>,
    pub(super) finally: Option<Arc<Layout>>,
}

impl ConvPlan {
    /// The plan of a walk; `None` if the form does not suit the problem, or does not fit.
    pub(super) fn walk(config: &Config, problem: &ConvProblem, form: walk::Form) -> Option<Self> {
        let stages = Walk::new(config, problem, form)?.stages()?;
        let transport = match problem.result {
            ResultWidth::Narrow(8) if config.narrow => StoreWidth::S8,
            ResultWidth::Narrow(_) if config.narrow => StoreWidth::S16,
            _ => exact(config, problem, walk::terms(problem)),
        };
        let problem = *problem;
        let lowering = Lowering::Walk(form);
        Some(ConvPlan { problem, lowering, transport, declined: None, stages: stages.into(), finally: None })
    }

    /// The plan of a weight gradient; `None` if the form does not suit the problem, or does not fit.
    pub(super) fn gradient(config: &Config, problem: &ConvProblem, form: gradient::Form) -> Option<Self> {
        let (stages, finally) = Gradient::new(config, problem, form)?.stages()?;
        let transport = exact(config, problem, gradient::terms(config, problem, &form));
        let problem = *problem;
        let lowering = Lowering::Gradient(form);
        Some(ConvPlan { problem, lowering, transport, declined: None, stages: stages.into(), finally })
    }

    /// The plan of a matrix product.
    pub(super) fn rows(problem: &ConvProblem, rows: Rows, plan: GemmPlan, declined: Option<String>) -> Self {
        let (problem, transport) = (*problem, plan.transport);
        let lowering = Lowering::Rows(rows, Box::new(plan));
        ConvPlan { problem, lowering, transport, declined, stages: [].into(), finally: None }
    }

    /// Whether a walk's weights are codes.
    pub fn coded(&self) -> bool {
        matches!(&self.lowering, Lowering::Walk(form) if form.codes(&self.problem).is_some())
    }

    /// Whether the accelerator narrows results as requested.
    pub fn chip_narrows(&self) -> bool {
        match &self.lowering {
            Lowering::Walk(_) => {
                self.problem.result != ResultWidth::Full && self.transport != StoreWidth::S32
            }
            Lowering::Gradient(_) | Lowering::Rows(Rows::Gathered, _) => false,
            Lowering::Rows(_, plan) => plan.chip_narrows(),
        }
    }

    /// Blocks of a walk, one a STORE.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.stages.iter().flat_map(|stage| &stage.blocks)
    }
}

/// The narrowest width that holds every sum of so many products.
fn exact(config: &Config, problem: &ConvProblem, terms: usize) -> StoreWidth {
    let holds = |t: &StoreWidth| longest_sum(problem.x, problem.w, t.bits()) >= terms;
    StoreWidth::known(config).into_iter().find(holds).unwrap_or(StoreWidth::S32)
}

impl Plan for ConvPlan {
    fn schedule(&self, config: &Config) -> Program {
        match &self.lowering {
            Lowering::Rows(_, plan) => plan.schedule(config),
            _ => stage::schedule(config, &self.stages, self.finally.as_ref(), self.transport),
        }
    }

    fn describe(&self) -> Description {
        let plan = match &self.lowering {
            Lowering::Walk(form) => {
                let walk::Form { step, beside, clip, across, band: [y, x], .. } = form;
                let padding = if *clip { ", taps inside the image only" } else { "" };
                let side = if *across { "columns" } else { "rows" };
                let outputs = match beside {
                    1 => "outputs".into(),
                    _ => format!("{beside} outputs side by side"),
                };
                let weights = match form.codes(&self.problem) {
                    Some(codes) => format!(", weights as codes of {} bits", codes.bits),
                    None => String::new(),
                };
                format!(
                    "walk over bands of {y} × {x} {outputs}, images on the {side}{weights}, {step} pixels a step{padding}"
                )
            }
            Lowering::Gradient(gradient::Form { rows, band: [y, x], .. }) => {
                let rows = match rows {
                    gradient::Rows::Own(step) => format!("{step} pixels a step"),
                    gradient::Rows::Broadcast => "row offsets along a row of the kernel".into(),
                    gradient::Rows::Scattered => "row offsets over the kernel".into(),
                };
                format!("walk over bands of {y} × {x} outputs, images on the lanes, {rows}")
            }
            Lowering::Rows(rows, plan) => {
                let shape = plan.problem.shape;
                let what = match (rows, self.problem.product) {
                    (Rows::Windows, ConvProduct::WeightGradient) => "im2col(X)ᵀ·dY",
                    (Rows::Windows, _) => "im2col(X)·W",
                    (Rows::Gathered, _) => "col2im(dY·Wᵀ)",
                    (Rows::Pixels, _) => "output gradients of each pixel · W",
                };
                format!("matrix product {what}, {} × {} × {}", shape.m, shape.k, shape.n)
            }
        };
        Description { plan, why: self.declined.clone() }
    }

    fn products(&self, config: &Config) -> u64 {
        if let Lowering::Rows(_, plan) = &self.lowering {
            return plan.products(config);
        }
        let cells = self.blocks().flat_map(|block| &block.cells);
        cells.map(|cell| stage::products(&cell.compute)).sum()
    }
}
