//! One queue a partition, and one gate before them all.
//!
//! Queues have no bound, but the gate is open only while some queue is empty: producers go on while
//! somebody waits for rows. A partition that nobody reads yet blocks nobody, and little is queued
//! while all are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

struct Gate {
    /// Queues without items. Below zero for a moment, between two halves of a change.
    empty: AtomicIsize,
    opened: Notify,
}

/// Where producers put items; the queues end when the last clone is dropped.
pub struct Senders<T> {
    queues: Arc<[(UnboundedSender<T>, Arc<AtomicUsize>)]>,
    gate: Arc<Gate>,
}

/// The end of one queue.
pub struct Receiver<T> {
    queue: UnboundedReceiver<T>,
    waiting: Arc<AtomicUsize>,
    gate: Arc<Gate>,
}

/// So many queues, all empty.
pub fn queues<T>(count: usize) -> (Senders<T>, Vec<Receiver<T>>) {
    let gate = Arc::new(Gate {
        empty: AtomicIsize::new(count as isize),
        opened: Notify::new(),
    });
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count)
        .map(|_| {
            let (sender, queue) = unbounded_channel();
            let waiting = Arc::new(AtomicUsize::new(0));
            (
                (sender, Arc::clone(&waiting)),
                Receiver {
                    queue,
                    waiting,
                    gate: Arc::clone(&gate),
                },
            )
        })
        .unzip();
    (
        Senders {
            queues: senders.into(),
            gate,
        },
        receivers,
    )
}

impl<T> Clone for Senders<T> {
    fn clone(&self) -> Self {
        Self {
            queues: Arc::clone(&self.queues),
            gate: Arc::clone(&self.gate),
        }
    }
}

impl<T> Senders<T> {
    /// Waits until some queue is empty.
    pub async fn opened(&self) {
        loop {
            let mut opened = std::pin::pin!(self.gate.opened.notified());
            opened.as_mut().enable();
            if self.gate.empty.load(Ordering::SeqCst) > 0 {
                return;
            }
            opened.await;
        }
    }

    /// Appends an item to a queue; without effect when nobody reads it any more.
    pub fn send(&self, queue: usize, item: T) {
        let (sender, waiting) = &self.queues[queue];
        if waiting.fetch_add(1, Ordering::SeqCst) == 0 {
            self.gate.empty.fetch_sub(1, Ordering::SeqCst);
        }
        // A closed queue counts as one that is never empty.
        let _ = sender.send(item);
    }

    /// How many queues there are.
    pub fn len(&self) -> usize {
        self.queues.len()
    }
}

impl<T> Receiver<T> {
    /// The next item; none when all senders are gone.
    pub async fn receive(&mut self) -> Option<T> {
        let item = self.queue.recv().await?;
        if self.waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.gate.empty.fetch_add(1, Ordering::SeqCst);
            self.gate.opened.notify_waiters();
        }
        Some(item)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.waiting.fetch_add(1, Ordering::SeqCst) == 0 {
            self.gate.empty.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn is_open<T>(senders: &Senders<T>) -> bool {
        timeout(Duration::from_millis(20), senders.opened())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn the_gate_is_open_while_some_queue_is_empty() {
        let (senders, mut receivers) = queues(2);
        senders.send(0, 'a');
        senders.send(0, 'b');
        assert!(is_open(&senders).await);
        senders.send(1, 'c');
        assert!(!is_open(&senders).await);
        assert_eq!(receivers[0].receive().await, Some('a'));
        assert!(!is_open(&senders).await);
        assert_eq!(receivers[1].receive().await, Some('c'));
        assert!(is_open(&senders).await);
        drop(senders);
        assert_eq!(receivers[0].receive().await, Some('b'));
        assert_eq!(receivers[0].receive().await, None);
    }

    /// A reader that is gone waits for nothing: the others must not be flooded on its behalf.
    #[tokio::test]
    async fn a_queue_that_nobody_reads_is_not_empty() {
        let (senders, mut receivers) = queues(2);
        drop(receivers.remove(0));
        senders.send(0, 1);
        assert!(is_open(&senders).await);
        senders.send(1, 2);
        assert!(!is_open(&senders).await);
        assert_eq!(receivers[0].receive().await, Some(2));
        assert!(is_open(&senders).await);
    }
}
