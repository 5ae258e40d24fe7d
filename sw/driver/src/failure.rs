//! Why a program failed, in words.

use tandem_spec::packet::Kind;
use tandem_spec::{Config, EngineError, Instruction, Outcome, Reason, Status};

/// A run without results.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened, and to which instruction.
    pub what: String,
    /// The link damaged a word: sending the program again may help.
    pub replay: bool,
}

impl Failure {
    /// A failure that a second attempt would not mend.
    pub fn lasting(what: String) -> Self {
        Failure { what, replay: false }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Failure { what: error.to_string(), replay: matches!(error, EngineError::Link(_)) }
    }
}

/// What an outcome other than [`Status::Idle`] means for a program whose instruction 0 was `base`.
///
/// The failing instruction is checked again in software: if it is right as it was sent, words were
/// damaged on their way.
pub(crate) fn explain(config: &Config, program: &[Instruction], base: u32, outcome: &Outcome) -> Failure {
    let name = |number: u32| {
        let index = number.wrapping_sub(base) as usize;
        match program.get(index) {
            Some(i) => (format!("instruction {index} ({i})"), i.validate(config).err()),
            None => (format!("instruction {number} since reset, not one of the program"), None),
        }
    };
    match outcome.status {
        Status::Failed => {
            let Some(error) = outcome.packets.iter().rev().find(|p| p.kind == Kind::Error) else {
                return Failure::lasting("failed without an error packet".into());
            };
            let (instruction, invalid) = name(error.instruction);
            let reason = error.reason.map_or_else(String::new, |r| r.to_string());
            let engine = ["load", "compute", "store"].get(error.summary[0] as usize).unwrap_or(&"unknown");
            let verdict = match &invalid {
                Some(e) => format!("the instruction is wrong: {e}"),
                None if error.reason == Some(Reason::Deadlock) => "every field is in range".into(),
                None => "as it was sent it is right, so the link damaged it".into(),
            };
            let replay = invalid.is_none() && error.reason != Some(Reason::Deadlock);
            Failure { what: format!("{engine} engine, {instruction}: {reason}; {verdict}"), replay }
        }
        Status::Starved { instruction } => {
            Failure { what: format!("words are missing in {}", name(instruction).0), replay: true }
        }
        Status::Blocked { engine, instruction } => Failure::lasting(format!(
            "{engine:?} engine, {}: waits for a token that nothing brings",
            name(instruction).0
        )),
        Status::CycleLimit => Failure::lasting("not finished within the cycle limit".into()),
        Status::Idle => Failure::lasting("idle".into()),
    }
}
