//! lane — one thread that answers questions, the newest of each slot only.
//! Owns: `Lane`. May import: store (for `Stop`), base.
//! Start reading at: `Lane::ask`. A question that was superseded while it waited is never asked; one that runs is
//! interrupted; neither gets an answer. So holding a key down never queues work.

use super::api::{Answer, Fault, Query, Rows, Slot};
use crate::base::crash;
use crate::base::spawn::{Worker, guarded, spawn};
use crate::store::Stop;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

struct Waiting {
    slot: Slot,
    generation: u64,
    query: Query,
    stop: Stop,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    running: Option<(Slot, Stop)>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread with questions before it. Dropping it interrupts what runs.
pub struct Lane {
    shared: Arc<Shared>,
    worker: Option<Worker>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lane")
    }
}

impl Lane {
    /// Starts the thread. `answer` asks the store; `tell` gets each answer that was not superseded.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        name: &str,
        mut answer: impl FnMut(&Query, &Stop) -> Result<Rows, Fault> + Send + 'static,
        tell: impl Fn(Slot, Answer) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        let worker = spawn(name, move || {
            while let Some(next) = take(&mine) {
                let rows = guarded(|| {
                    crash::place("answer");
                    answer(&next.query, &next.stop)
                })
                .unwrap_or_else(|p| Err(Fault::bug(&p)));
                let mut state = mine.lock();
                state.running = None;
                // Told under the lock: a newer question cannot slip in between and be overtaken by this answer.
                if !next.stop.stopped() {
                    tell(next.slot, Answer { generation: next.generation, rows });
                }
            }
        })?;
        Ok(Self { shared, worker: Some(worker) })
    }

    /// Asks; whatever `slot` asked before gets no answer any more. Never blocks for long.
    pub fn ask(&self, slot: Slot, generation: u64, query: Query) {
        let mut state = self.shared.lock();
        if let Some((running, stop)) = &state.running
            && *running == slot
        {
            stop.stop();
        }
        // It keeps its old place in the row: a slot that asks often must not wait for ever.
        let waiting = Waiting { slot, generation, query, stop: Stop::new() };
        match state.waiting.iter_mut().find(|w| w.slot == slot) {
            Some(old) => *old = waiting,
            None => state.waiting.push_back(waiting),
        }
        self.shared.bell.notify_one();
    }
}

fn take(shared: &Shared) -> Option<Waiting> {
    let mut state = shared.lock();
    loop {
        if state.closed {
            return None;
        }
        if let Some(next) = state.waiting.pop_front() {
            state.running = Some((next.slot, next.stop.clone()));
            return Some(next);
        }
        state = shared.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.closed = true;
            if let Some((_, stop)) = &state.running {
                stop.stop();
            }
        }
        self.shared.bell.notify_all();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join(Duration::from_secs(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn search(n: u32) -> Query {
        Query::Search { text: String::new(), within: None, limit: n }
    }

    #[test]
    fn only_the_newest_question_of_a_slot_is_answered() {
        let (begun_tx, begun) = channel();
        let (told_tx, told) = channel();
        let lane = Lane::start(
            "test",
            move |query, stop| {
                let Query::Search { limit, .. } = query else { return Err(Fault::bug("?")) };
                begun_tx.send(*limit).unwrap();
                // A long one: ends only when it is interrupted.
                while *limit == 1 && !stop.stopped() {
                    std::thread::yield_now();
                }
                Ok(Rows::Contacts(Vec::new()))
            },
            move |slot, answer| told_tx.send((slot, answer.generation)).unwrap(),
        )
        .unwrap();
        lane.ask(Slot(0), 1, search(1));
        assert_eq!(begun.recv().unwrap(), 1);
        lane.ask(Slot(7), 2, search(2));
        for n in 3..50 {
            lane.ask(Slot(0), u64::from(n), search(n));
        }
        let mut answers = Vec::new();
        while answers.last() != Some(&(Slot(0), 49)) {
            answers.push(told.recv().unwrap());
        }
        assert!(answers.contains(&(Slot(7), 2)) && !answers.contains(&(Slot(0), 1)), "the interrupted one is not told");
        let own: Vec<u64> = answers.iter().filter(|(slot, _)| *slot == Slot(0)).map(|(_, g)| *g).collect();
        assert!(own.is_sorted());
    }

    #[test]
    fn a_panic_is_an_answer_and_the_lane_goes_on() {
        let (told_tx, told) = channel();
        let lane = Lane::start(
            "test",
            |query, _| match query {
                Query::Outbox => panic!("odd row"),
                _ => Ok(Rows::Drafts(Vec::new())),
            },
            move |_, answer| told_tx.send(answer.rows.is_ok()).unwrap(),
        )
        .unwrap();
        lane.ask(Slot(0), 1, Query::Outbox);
        assert!(!told.recv().unwrap());
        lane.ask(Slot(0), 2, Query::Drafts);
        assert!(told.recv().unwrap());
    }
}
