//! A run for the eye: the table of cycles and the curve of training.

use crate::picture::{legend, svg};
use anyhow::Result;
use plotters::prelude::*;
use serde_json::Value;
use std::fmt::Write as _;
use tandem_nn::backend::ledger::{Busy, Counters, LayerCounters};
use tandem_nn::train::accounting::{LayerAccount, ProductAccount, compute_cycles};

/// A share in per cent, or nothing.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// Layer, pattern, density, compute cycles of the three products with their share of dense, all cycles.
pub fn account(lines: &[LayerAccount], scoring: &Counters) -> String {
    let mut s = format!(
        "{:<10} {:<18} {:>7}  {:>19} {:>19} {:>19} {:>7} {:>7}\n",
        "compute", "pattern", "density", "forward", "input grad", "weight grad", "sum", "total"
    );
    let cell = |p: &ProductAccount| match p.cost.calls {
        0 => "-".to_owned(),
        _ => format!("{} {:>8}", p.cost.cost.compute_busy, share_of_dense(p)),
    };
    let mut sum = ProductAccount::default();
    for l in lines {
        let total = l.total();
        sum.cost += total.cost;
        sum.dense += total.dense;
        let _ = writeln!(
            s,
            "{:<10} {:<18} {:>5.1} %  {:>19} {:>19} {:>19} {:>7} {:>7}",
            l.layer,
            l.pattern,
            100.0 * l.density,
            cell(&l.forward),
            cell(&l.input_gradient),
            cell(&l.weight_gradient),
            share_of_dense(&total),
            share(total.cost.cost.cycles, total.dense.cost.cycles),
        );
    }
    let (now, dense) = (sum.cost.cost, sum.dense.cost);
    let _ = writeln!(
        s,
        "compute {} of dense (with drain waits {}), total {}; scoring {} cycles",
        share_of_dense(&sum),
        share(compute_cycles(&now), compute_cycles(&dense)),
        share(now.cycles, dense.cycles),
        scoring.cost.cycles,
    );
    s
}

fn share_of_dense(p: &ProductAccount) -> String {
    share(p.cost.cost.compute_busy, p.dense.cost.compute_busy)
}

/// Cycles by layer and product.
pub fn table(layers: &[LayerCounters]) -> String {
    let transforms = layers.iter().any(|l| l.transforms.calls > 0);
    let column =
        |text: &dyn std::fmt::Display| if transforms { format!(" {text:>14}") } else { String::new() };
    let mut s = format!(
        "{:<12} {:>14} {:>14} {:>14}{} {:>14}\n",
        "cycles",
        "forward",
        "input grad",
        "weight grad",
        column(&"transforms"),
        "sum"
    );
    for l in layers {
        let total = l.total().cost.cycles;
        if total > 0 {
            let of = |c: &tandem_nn::backend::ledger::Counters| c.cost.cycles;
            let _ = writeln!(
                s,
                "{:<12} {:>14} {:>14} {:>14}{} {:>14}",
                l.layer,
                of(&l.forward),
                of(&l.input_gradient),
                of(&l.weight_gradient),
                column(&of(&l.transforms)),
                total
            );
        }
    }
    s
}

/// The three products of a layer, with their names.
fn products(l: &LayerCounters) -> [(&'static str, &Counters); 3] {
    [("forward", &l.forward), ("input_gradient", &l.input_gradient), ("weight_gradient", &l.weight_gradient)]
}

/// What holds each product up: cycles a call, the bound, and how many times its least possible cycles it takes.
pub fn bounds(layers: &[LayerCounters]) -> String {
    let mut s = format!(
        "{:<12} {:>24} {:>24} {:>24}   cycles a call, what bounds them, cycles / least possible\n",
        "bound", "forward", "input grad", "weight grad"
    );
    let cell = |c: &Counters| match c.calls {
        0 => "-".to_owned(),
        calls => {
            let (bound, least) = c.cost.bound();
            let ratio = c.cost.cycles as f64 / least.max(1) as f64;
            format!("{} {:>7} {ratio:>5.2}", c.cost.cycles / calls, bound.name())
        }
    };
    for l in layers.iter().filter(|l| l.products().calls > 0) {
        let [forward, input, weight] = products(l).map(|(_, c)| cell(c));
        let _ = writeln!(s, "{:<12} {forward:>24} {input:>24} {weight:>24}", l.layer);
    }
    s
}

/// The same for scripts: sums over all calls.
pub fn bounds_json(layers: &[LayerCounters]) -> Value {
    let product = |c: &Counters| {
        let (bound, least) = c.cost.bound();
        serde_json::json!({
            "calls": c.calls, "cycles": c.cost.cycles, "array": c.cost.array(),
            "words_in": c.cost.words_in(), "words_out": c.cost.words_out,
            "bound": bound.name(), "least_cycles": least,
        })
    };
    let layer = |l: &LayerCounters| {
        let mut line = serde_json::Map::from_iter([("layer".to_owned(), Value::from(l.layer.clone()))]);
        line.extend(products(l).map(|(name, c)| (name.to_owned(), product(c))));
        Value::Object(line)
    };
    layers.iter().map(layer).collect()
}

/// How long each unit was busy.
pub fn busy(b: &Busy) -> String {
    format!("busy cycles: MAC array {}, FFT unit {}, link {}; largest {}\n", b.mac, b.fft, b.link, b.max)
}

/// Loss and test accuracy over epochs, as SVG.
pub fn training(lines: &[Value]) -> Result<String> {
    let points = |key: &str, scale: f64| -> Vec<(f64, f64)> {
        lines.iter().filter_map(|l| Some((l["epoch"].as_f64()?, l[key].as_f64()? * scale))).collect()
    };
    let (loss, test) = (points("loss", 1.0), points("test_accuracy", 100.0));
    let last = loss.last().map_or(1.0, |p| p.0).max(2.0);
    let most = loss.iter().map(|p| p.1).fold(0.1, f64::max);
    let least = test.iter().map(|p| p.1).fold(100.0, f64::min);
    svg((720, 360), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("training", ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .right_y_label_area_size(56)
            .build_cartesian_2d(1.0..last, 0.0..most * 1.05)?
            .set_secondary_coord(1.0..last, (least - 1.0).max(0.0)..100.0);
        chart.configure_mesh().x_desc("epoch").y_desc("training loss").light_line_style(WHITE).draw()?;
        chart.configure_secondary_axes().y_desc("test accuracy in %").draw()?;
        chart
            .draw_series(LineSeries::new(loss, BLUE.stroke_width(2)))?
            .label("training loss")
            .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], BLUE.stroke_width(2)));
        chart
            .draw_secondary_series(LineSeries::new(test, RED.stroke_width(2)))?
            .label("test accuracy")
            .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], RED.stroke_width(2)));
        legend(&mut chart, SeriesLabelPosition::MiddleRight)
    })
}
