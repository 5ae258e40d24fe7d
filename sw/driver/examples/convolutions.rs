//! Cycles of every product of LeNet-5 or ResNet-20, by the cycle model: `convolutions ACCELERATOR M lenet|resnet [BATCH]`.

use std::time::Instant;
use tandem_driver::conv::{ConvProblem, ConvProduct, Window};
use tandem_driver::gemm::{Pattern, ResultWidth, Selection};
use tandem_driver::{Format, Planner};
use tandem_model::CycleModel;
use tandem_spec::Config;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, name, m, network, rest @ ..] = &arguments[..] else {
        return Err("expected: ACCELERATOR M lenet|resnet [BATCH]".into());
    };
    let config = Config::from_file(format!("configs/accelerators/{name}.toml").as_ref())?;
    let m: usize = m.parse()?;
    let window = |side, channels, kernel, stride, padding| Window {
        image: [side, side],
        channels,
        kernel: [kernel, kernel],
        stride,
        padding,
    };
    let (layers, images) = if network == "lenet" {
        (vec![("conv1", 1, window(28, 1, 5, 1, 2), 6), ("conv2", 1, window(14, 6, 5, 1, 0), 16)], 64)
    } else {
        let layer = |name, times, side, channels, outputs, stride| {
            (name, times, window(side, channels, 3, stride, 1), outputs)
        };
        let list = vec![
            layer("stage 1", 6, 32, 16, 16, 1),
            layer("stage 2 first", 1, 32, 16, 32, 2),
            layer("stage 2", 5, 16, 32, 32, 1),
            layer("stage 3 first", 1, 16, 32, 64, 2),
            layer("stage 3", 5, 8, 64, 64, 1),
        ];
        (list, 128)
    };
    let images = rest.first().map_or(Ok(images), |n| n.parse())?;
    let mut planner = Planner::new(config, std::sync::Arc::new(CycleModel));
    let mut total = 0;
    for (layer, times, window, outputs) in layers {
        for product in [ConvProduct::Forward, ConvProduct::InputGradient, ConvProduct::WeightGradient] {
            if layer == "conv1" && product == ConvProduct::InputGradient {
                continue;
            }
            let sparse = m > 1 && layer != "conv1";
            let run = |n: usize| if n.is_multiple_of(m) { n } else { n * window.kernel[1] };
            let pattern = |run| Pattern { n: 1, m, run };
            let (x, w, selection) = match product {
                ConvProduct::Forward => (
                    Format::unsigned(4),
                    Format::signed(4),
                    Selection::Weights(pattern(run(window.channels))),
                ),
                ConvProduct::InputGradient => {
                    (Format::signed(8), Format::signed(4), Selection::Weights(pattern(outputs)))
                }
                ConvProduct::WeightGradient => (
                    Format::unsigned(4),
                    Format::signed(8),
                    Selection::Results(pattern(run(window.channels))),
                ),
            };
            let selection = if sparse { selection } else { Selection::Dense };
            let problem =
                ConvProblem { product, window, images, outputs, x, w, result: ResultWidth::Full, selection };
            let start = Instant::now();
            let planned = planner.plan(&problem)?;
            let cost = planned.cost;
            let traffic = planned.traffic;
            println!(
                "{layer:14} {product:15?} {:9} cycles, array {:9}, drain {:8}, in {:8}, out {:8}, {:6} instructions, {:4} ms: {}{}",
                cost.cycles,
                cost.compute_busy,
                cost.wait_drain,
                traffic.instructions + traffic.payloads,
                traffic.packets,
                planned.length,
                start.elapsed().as_millis(),
                tandem_driver::Plan::describe(&planned.plan).plan,
                planned.plan.declined.as_ref().map_or(String::new(), |why| format!(" ({why})")),
            );
            if std::env::var("COUNTERS").is_ok() {
                println!("    {:?}", planned.predicted);
            }
            total += times * cost.cycles;
        }
    }
    println!("{total} cycles");
    Ok(())
}
