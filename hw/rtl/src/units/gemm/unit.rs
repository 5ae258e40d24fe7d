//! Sequencer, array and drain as a unit of the compute engine.

use super::drain::Drain;
use super::mac_array::MacArray;
use super::sequencer::Sequencer;
use crate::counters::StepEvents;
use crate::hdl::prelude::*;
use crate::units::engine::Engine;
use rust_hdl::prelude::*;
use tandem_spec::Config;

unit! {
    /// Matrix products.
    ///
    /// # Timing  that of its parts
    pub struct Gemm(c: &Config) {
        clock,
        /// The accelerator around it.
        pub engine: Engine<In> = Engine::new(c),
        /// Its steps.
        pub events: StepEvents<Out> = StepEvents::new(c),
        sequencer: Sequencer = Sequencer::new(c),
        array: MacArray = MacArray::new(c),
        drain: Drain = Drain::new(c),
    }
}

impl Logic for Gemm {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.engine.request, &mut self.sequencer.request);
        wire::join_all(&mut self.sequencer.control, &mut self.array.control);
        wire::join_all(&mut self.sequencer.operands, &mut self.array.operands);
        wire::join_all(&mut self.engine.payload, &mut self.array.payload);
        wire::join_all(&mut self.sequencer.tile, &mut self.drain.tile);
        wire::join_all(&mut self.array.shadow, &mut self.drain.shadow);
        wire::join_all(&mut self.drain.outcome, &mut self.engine.outcome);
        wire::join_all(&mut self.sequencer.events, &mut self.events);
        self.engine.busy.next = self.sequencer.control.step.val();
        self.engine.quiet.next = self.sequencer.idle.val() & self.drain.quiet.val();
    }
}
