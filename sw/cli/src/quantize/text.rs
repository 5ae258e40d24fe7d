//! The tables of a run: signal to noise of each quantizer at each width, choices with their reasons.

use super::{Analysis, Budget, Measured};
use std::fmt::Write as _;
use tandem_nn::choice::measure::{Candidate, WIDTHS, decibels};

/// Roles in the order of candidates.
pub const ROLES: [&str; 3] = ["weights", "activations", "gradients"];

/// All of it as Markdown.
pub fn text(analysis: &Analysis, budget: Budget) -> String {
    let mut s = String::new();
    for layer in &analysis.layers {
        let [kept, all] = layer.weights;
        let _ = writeln!(s, "## {}: {kept} of {all} weights kept, {:?}\n", layer.layer, layer.bits());
        if let Some([w, x]) = layer.used {
            let _ = writeln!(
                s,
                "As the run quantizes them: weights {}, activations {} dB.\n",
                figure(w),
                figure(x)
            );
        }
        for (role, candidates) in ROLES.iter().zip(&layer.candidates) {
            let _ = writeln!(s, "{}", table(role, candidates, |c| figure(c.noise)));
        }
        let bias = |c: &Candidate| {
            let bias = c.bias.map(|b| (100.0 * b.mean, 100.0 * b.standard_error));
            bias.map_or(String::new(), |(mean, error)| format!("{mean:+.2} ± {error:.2}"))
        };
        let _ = writeln!(s, "{}", table("bias of gradients in %", &layer.candidates[2], bias));
        for reason in reasons(layer, budget) {
            let _ = writeln!(s, "- {reason}");
        }
        s += "\n";
    }
    for layer in &analysis.left_out {
        let _ =
            writeln!(s, "`{layer}` is left out: its weights are spectra, which are quantized by rings.\n");
    }
    let share = analysis.chosen as f64 / analysis.own as f64;
    let _ = writeln!(
        s,
        "{} of {} {} ({share:.3} of the run's own {})",
        analysis.chosen,
        analysis.most,
        budget.name(),
        analysis.own
    );
    s
}

/// What was chosen for each layer, a line a layer.
pub fn choices(analysis: &Analysis) -> String {
    let line = |l: &Measured| {
        let (w, x, g) = (&l.choice.weights, &l.choice.activations, &l.choice.gradients);
        format!(
            "{:<10} W{} {} {} dB, A{} {} {} dB, G{} {} {} dB; {} of {} cycles\n",
            l.layer,
            w.bits,
            w.name(),
            figure(w.noise),
            x.bits,
            x.name(),
            figure(x.noise),
            g.bits,
            g.name(),
            figure(g.noise),
            l.choice.cycles,
            l.cycles
        )
    };
    analysis.layers.iter().map(line).collect()
}

fn figure(noise: f64) -> String {
    if noise == 0.0 { "exact".to_owned() } else { format!("{:.1}", decibels(noise)) }
}

/// A line a quantizer, a column a width of codes.
fn table(head: &str, candidates: &[Candidate], cell: impl Fn(&Candidate) -> String) -> String {
    let mut rows =
        vec![std::iter::once(head.to_owned()).chain(WIDTHS.map(|b| b.to_string())).collect::<Vec<_>>()];
    let mut names: Vec<String> = vec![];
    for candidate in candidates {
        if !names.contains(&candidate.name()) {
            names.push(candidate.name());
        }
    }
    for name in names {
        let of = |b: u8| candidates.iter().find(|c| c.name() == name && c.bits == b);
        let cells = WIDTHS.map(|b| of(b).map_or(String::new(), &cell)).collect::<Vec<_>>();
        rows.push(std::iter::once(name.clone()).chain(cells).collect());
    }
    crate::compare::markdown(&rows)
}

/// Why each quantizer was chosen, and where the budget ended.
pub fn reasons(layer: &Measured, budget: Budget) -> Vec<String> {
    let choice = &layer.choice;
    let chosen = [&choice.weights, &choice.activations, &choice.gradients];
    let mut all = vec![];
    for ((role, candidates), chosen) in ROLES.iter().zip(&layer.candidates).zip(chosen) {
        let name = chosen.name();
        let levels = if chosen.level_bits == chosen.bits {
            String::new()
        } else {
            format!(", levels of {} bits", chosen.level_bits)
        };
        let head = format!("{role}: {} bits, `{name}`{levels}: {} dB", chosen.bits, figure(chosen.noise));
        if candidates.iter().all(|c| c.quantizer != chosen.quantizer) {
            all.push(format!("{head}; the clip stays trained, from what `octav` gives"));
            continue;
        }
        let others = candidates.iter().filter(|c| c.bits == chosen.bits && c.name() != name);
        let next =
            others.filter(|c| c.level_bits <= chosen.level_bits).min_by(|a, b| a.noise.total_cmp(&b.noise));
        all.push(match next {
            Some(next) if next.noise > 0.0 && chosen.noise > 0.0 => format!(
                "{head}, {:.1} dB above the next, `{}`",
                decibels(chosen.noise / next.noise),
                next.name()
            ),
            _ => head,
        });
    }
    all.push(match choice.next {
        None => format!("noise {:.4}: no choice has less", choice.noise),
        Some((saved, added)) => {
            format!(
                "noise {:.4}; the next choice saves {saved:.4} for {added} {} more",
                choice.noise,
                budget.name()
            )
        }
    });
    all
}
