//! Where each point is: it waits, has a task, or has ended. Nothing is run here.

use std::collections::{BTreeMap, BTreeSet};

/// How often a point whose task ended without a word is submitted again.
pub const AGAIN: usize = 3;
/// A task is gone once it is missed in so many looks: a file of another machine may take a moment.
const LOOKS: usize = 2;

/// A task and the line of the list that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The array's job.
    pub job: u64,
    /// The list's number.
    pub list: u64,
    /// The place in both.
    pub index: usize,
}

/// What the folder says of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Open,
    /// There is an outcome.
    Trained,
    /// It failed, and why is there.
    Failed,
}

/// What became of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It has an outcome.
    Trained(String),
    /// It failed.
    Failed(String),
    /// Its task ended without a word; it waits again.
    Lost(String, Place),
    /// The same, once too often.
    GivenUp(String, Place),
}

/// Points that have not ended.
pub struct Open {
    waiting: BTreeMap<usize, String>,
    queued: BTreeMap<String, Queued>,
    /// Their order.
    places: BTreeMap<String, usize>,
    lost: BTreeMap<String, usize>,
}

struct Queued {
    place: Place,
    missed: usize,
}

impl Open {
    /// All of them wait.
    pub fn new<'a>(points: impl IntoIterator<Item = &'a str>) -> Self {
        let waiting: BTreeMap<usize, String> = points.into_iter().map(str::to_owned).enumerate().collect();
        let places = waiting.iter().map(|(place, point)| (point.clone(), *place)).collect();
        Open { waiting, queued: BTreeMap::new(), places, lost: BTreeMap::new() }
    }

    /// A task has a point; false if the point does not wait.
    pub fn submitted(&mut self, point: &str, place: Place) -> bool {
        let waits = self.places.get(point).is_some_and(|at| self.waiting.remove(at).is_some());
        if waits {
            self.queued.insert(point.to_owned(), Queued { place, missed: 0 });
        }
        waits
    }

    /// The first points that wait.
    pub fn first(&self, count: usize) -> Vec<String> {
        self.waiting.values().take(count).cloned().collect()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many have a task.
    pub fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Whether all have ended.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.queued.is_empty()
    }

    /// Jobs of the tasks.
    pub fn jobs(&self) -> BTreeSet<u64> {
        self.queued.values().map(|queued| queued.place.job).collect()
    }

    /// What became of points: by the tasks (job, index) that have not ended, then by what the folder says.
    pub fn look(&mut self, alive: &BTreeSet<(u64, usize)>, state: impl Fn(&str) -> State) -> Vec<Event> {
        let mut events = vec![];
        // somebody else may have trained what waits; that it failed is from before
        self.waiting.retain(|_, point| {
            let waits = state(point) != State::Trained;
            if !waits {
                events.push(Event::Trained(point.clone()));
            }
            waits
        });
        let mut lost = vec![];
        self.queued.retain(|point, queued| {
            match state(point) {
                State::Trained => events.push(Event::Trained(point.clone())),
                State::Failed => events.push(Event::Failed(point.clone())),
                State::Open => {
                    let is_alive = alive.contains(&(queued.place.job, queued.place.index));
                    queued.missed = if is_alive { 0 } else { queued.missed + 1 };
                    if queued.missed < LOOKS {
                        return true;
                    }
                    lost.push((point.clone(), queued.place));
                }
            }
            false
        });
        for (point, place) in lost {
            let times = self.lost.entry(point.clone()).or_default();
            *times += 1;
            if *times > AGAIN {
                events.push(Event::GivenUp(point, place));
            } else {
                self.waiting.insert(self.places[&point], point.clone());
                events.push(Event::Lost(point, place));
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(job: u64, index: usize) -> Place {
        Place { job, list: job, index }
    }

    #[test]
    fn points_end_are_lost_and_are_given_up() {
        let mut open = Open::new(["a", "b", "c", "d"]);
        assert_eq!(open.first(2), ["a", "b"]);
        for (index, point) in ["a", "b", "c"].into_iter().enumerate() {
            assert!(open.submitted(point, place(1, index)));
        }
        assert!(!open.submitted("a", place(2, 0)) && !open.submitted("z", place(2, 1)));
        assert_eq!((open.waiting(), open.queued(), open.jobs()), (1, 3, BTreeSet::from([1])));
        let alive = BTreeSet::from([(1, 1)]);
        let state = |point: &str| match point {
            "c" => State::Failed,
            "d" => State::Trained,
            _ => State::Open,
        };
        // missed once is not yet lost
        assert_eq!(open.look(&alive, state), [Event::Trained("d".into()), Event::Failed("c".into())]);
        assert_eq!(open.look(&alive, state), [Event::Lost("a".into(), place(1, 0))]);
        assert_eq!((open.first(9), open.queued()), (vec!["a".to_owned()], 1));
        let none = BTreeSet::new();
        for job in 2..=AGAIN as u64 + 1 {
            assert!(open.submitted("a", place(job, 0)));
            assert_eq!(open.look(&BTreeSet::from([(1, 1), (job, 0)]), state), []);
            assert_eq!(open.look(&alive, state), []);
            let event = open.look(&alive, state);
            let given_up = job > AGAIN as u64;
            let lost = if given_up { Event::GivenUp } else { Event::Lost };
            assert_eq!(event, [lost("a".into(), place(job, 0))]);
        }
        // a task that has ended, its outcome a look later
        assert_eq!(open.look(&none, state), []);
        assert_eq!(open.look(&none, |_| State::Trained), [Event::Trained("b".into())]);
        assert!(open.is_empty());
    }

    #[test]
    fn a_point_that_failed_before_waits() {
        let mut open = Open::new(["a"]);
        assert_eq!(open.look(&BTreeSet::new(), |_| State::Failed), []);
        assert_eq!(open.waiting(), 1);
    }
}
