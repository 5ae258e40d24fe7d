//! Synthetic images that a small network can learn.

use ndarray::Array2;
use std::sync::Arc;
use tandem_nn::backend::Backend;
use tandem_nn::config::{Document, Experiment};
use tandem_nn::data::{Dataset, Split};
use tandem_nn::train::Trainer;

/// Images of 6 × 6 pixels: class c has its bright pixels in quarter c, noise everywhere.
pub fn quarters(train: usize, test: usize) -> Arc<Dataset> {
    Arc::new(Dataset {
        name: "quarters".to_owned(),
        train: split(train, 1),
        test: split(test, 2),
        shape: (6, 6, 1),
        classes: 4,
        max_value: 255,
        known_digest: None,
    })
}

fn split(n: usize, salt: usize) -> Split {
    let noise = |i: usize| ((i * 2_654_435_761 + salt * 40_503) >> 7) % 97;
    let labels: Vec<u8> = (0..n).map(|i| (noise(i) % 4) as u8).collect();
    let images = Array2::from_shape_fn((n, 36), |(i, at)| {
        let quarter = 2 * (at / 18) + at % 6 / 3;
        let bright = quarter == usize::from(labels[i]);
        (noise(i * 36 + at) + if bright { 120 } else { 0 }) as u8
    });
    Split { images: images.into(), labels }
}

/// An experiment on `quarters` with these layers.
pub fn experiment(train: &str, layers: &str) -> Experiment {
    let text = format!(
        r#"
        name = "test"
        [data]
        set = "quarters"
        batch = 16
        [train]
        {train}
        [bits]
        weights = 4
        activations = 4
        gradients = 8
        {layers}
        "#
    );
    Experiment::parse(Document::new("test.toml", text)).expect("a valid experiment")
}

/// Settings of a short run.
pub const SHORT: &str = r#"
    epochs = 3
    seed = 1
    optimizer = "sgd"
    lr = 0.05
    schedule = "cosine"
"#;

/// Every kind of layer.
pub const ALL_LAYERS: &str = r#"
        [[layer]]
        type = "conv2d"
        name = "conv1"
        channels = 4
        kernel = 3
        padding = 1
        bias = false
        [[layer]]
        type = "batch_norm"
        [[layer]]
        type = "relu"
        name = "early"
        [[layer]]
        type = "conv2d"
        name = "conv2"
        channels = 4
        kernel = 3
        padding = 1
        [[layer]]
        type = "residual"
        from = "early"
        [[layer]]
        type = "relu"
        [[layer]]
        type = "max_pool"
        size = 2
        [[layer]]
        type = "flatten"
        [[layer]]
        type = "linear"
        name = "fc1"
        outputs = 12
        [[layer]]
        type = "batch_norm"
        [[layer]]
        type = "relu"
        [[layer]]
        type = "linear"
        name = "fc2"
        outputs = 4
"#;

/// A run on 128 images.
pub fn trainer(experiment: Experiment, backend: Backend) -> Trainer {
    Trainer::new(experiment, quarters(128, 64), backend).expect("an experiment that suits the data")
}

/// Two blocks with every layer of ordinary convolutional networks that [`ALL_LAYERS`] does not have.
pub const CNN_LAYERS: &str = r#"
        [[layer]]
        type = "conv2d"
        name = "conv1"
        channels = 6
        kernel = 3
        padding = 1
        bias = false
        [[layer]]
        type = "batch_norm"
        [[layer]]
        type = "relu"
        name = "stem"
        [[layer]]
        type = "conv2d"
        name = "depthwise"
        channels = 6
        kernel = 3
        stride = 2
        padding = 1
        groups = 6
        [[layer]]
        type = "relu"
        [[layer]]
        type = "conv2d"
        name = "pointwise"
        channels = 8
        kernel = 1
        [[layer]]
        type = "residual"
        from = "stem"
        stride = 2
        shortcut = "zero-pad"
        [[layer]]
        type = "relu"
        name = "block1"
        [[layer]]
        type = "conv2d"
        name = "projection"
        channels = 4
        kernel = 1
        stride = [2, 1]
        [[layer]]
        type = "conv2d"
        name = "grouped"
        input = "block1"
        channels = 4
        kernel = [3, 1]
        stride = [2, 1]
        padding = [1, 0]
        groups = 2
        [[layer]]
        type = "residual"
        from = "projection"
        [[layer]]
        type = "relu"
        [[layer]]
        type = "avg_pool"
        size = [1, 2]
        stride = 1
        [[layer]]
        type = "dropout"
        rate = 0.25
        [[layer]]
        type = "global_avg_pool"
        [[layer]]
        type = "linear"
        name = "fc"
        outputs = 4
"#;
