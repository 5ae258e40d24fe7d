# tandem: `make demo` trains on a simulated accelerator, `make test` runs every test.
CARGO ?= cargo
TANDEM = $(CARGO) run --release --quiet -p tandem --
SEEDS ?= 1 2 3

.PHONY: help demo test test-units-to-f test-g-to-z lint doc sanitize bench setup setup-test mnist pruning-table spectral-table quant-table cifar-table setup-fpga board-table clean

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/'

setup: ## install what the demo needs
	@tools/install.sh

setup-test: ## install what the tests need
	@tools/install.sh test

setup-fpga: ## install the FPGA tools into .venv: synthesis, place and route, proofs
	@tools/setup_fpga.sh

demo: setup ## train on the embedded digits through Verilator, three seeds, with the float baseline
	@$(CARGO) build --release -p tandem
	@tools/demo.sh $(SEEDS)

# One build with the features that tests have: `-p tandem` alone would compile most crates a second time. Suites run two at a time, by
# their first letters: many wait for one tool or one long case.
TEST = $(CARGO) test --release --workspace

test: setup-test ## every test, proofs included
	@$(CARGO) build --release --workspace --lib --bins --tests --examples
	@$(MAKE) --no-print-directory --jobs=2 --keep-going test-units-to-f test-g-to-z
	@$(TEST) --doc

test-units-to-f:
	@$(TEST) --lib --bins --examples --test '[a-f]*'

test-g-to-z:
	@$(TEST) --test '[!a-f]*'

lint: setup-test ## format, clippy, licences and sources of the dependencies
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	@tools/deny.sh

doc: setup ## the pages of the crates, without a warning
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps --workspace

sanitize: setup ## the C++ harness and its models under ASan and UBSan: nightly, or before a release
	@tools/sanitize.sh

bench: setup ## speeds, as JSON
	@$(CARGO) build --release --quiet -p tandem
	@tools/bench.sh

mnist: ## LeNet-5 on MNIST, on the twin
	@$(TANDEM) data fetch mnist
	@$(TANDEM) train -c configs/experiments/mnist-lenet5.toml --engine model

pruning-table: ## every pruning method at three densities (FULL=1: all images, 5 epochs, 5 seeds)
	@$(TANDEM) data fetch mnist
	@$(TANDEM) compare configs/comparisons/pruning.toml -o runs/pruning-table$(if $(FULL),-full --seeds 5 --set data.images=55000 --set train.epochs=5)

spectral-table: ## convolution in space and in the frequency domain at the same density (FULL=1: all images, 5 epochs, 3 seeds)
	@$(TANDEM) data fetch mnist
	@$(TANDEM) compare configs/comparisons/spectral.toml -o runs/spectral-table$(if $(FULL),-full --seeds 3 --set data.images=55000 --set train.epochs=5)

quant-table: ## quantizers at 2, 3, 4, 8 bits against gradients of 4, 6, 8, three seeds; stopped, it goes on (FULL=1: all images, 5 epochs)
	@$(TANDEM) data fetch mnist
	@$(TANDEM) sweep configs/sweeps/quant.toml -o runs/quant-table$(if $(FULL),-full --set data.images=60000 --set train.epochs=5)

cifar-table: ## ResNet-20 on CIFAR-10: bits, patterns and methods, and float; stopped, it goes on (FULL=1: all images, 40 epochs)
	@$(TANDEM) data fetch cifar10
	@$(TANDEM) sweep configs/sweeps/cifar.toml -o runs/cifar-table$(if $(FULL),-full --set data.images=50000 --set train.epochs=40 --set train.warmup_steps=500)

board-table: setup-fpga ## accelerators on boards: cells, Fmax, speed, into docs/boards.md
	@$(TANDEM) board table configs/comparisons/boards.toml --into docs/boards.md

clean:
	@$(CARGO) clean
