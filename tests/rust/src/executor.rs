//! An executor that runs exactly when it is told to, on the thread of the test.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use capnweb::{BoxFuture, Spawn, SpawnHandle};

/// Tasks of a test and its virtual clock. Cheap to clone.
#[derive(Clone, Default)]
pub struct TestExecutor(Arc<Inner>);

#[derive(Default)]
struct Inner {
    ready: Mutex<VecDeque<Arc<Task>>>,
    clock: Mutex<Clock>,
}

#[derive(Default)]
struct Clock {
    now: Duration,
    /// Who waits until when, by a number.
    sleepers: Vec<(u64, Duration, Waker)>,
    next: u64,
}

struct Task {
    future: Mutex<Option<BoxFuture<()>>>,
    queued: AtomicBool,
    executor: Arc<Inner>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::SeqCst) {
            let executor = Arc::clone(&self.executor);
            executor.ready.lock().unwrap().push_back(self);
        }
    }
}

impl TestExecutor {
    /// An executor without tasks, at time 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// As the library takes it.
    pub fn handle(&self) -> SpawnHandle {
        Arc::new(self.clone())
    }

    /// Runs `f` with this as the current executor.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        capnweb::with_spawn(&self.handle(), f)
    }

    /// Runs tasks until none is ready. Returns whether any was.
    pub fn run(&self) -> bool {
        let mut any = false;
        self.enter(|| {
            loop {
                let task = self.0.ready.lock().unwrap().pop_front();
                let Some(task) = task else { return any };
                any = true;
                task.queued.store(false, Ordering::SeqCst);
                let waker = Waker::from(Arc::clone(&task));
                let future = task.future.lock().unwrap().take();
                let Some(mut future) = future else { continue };
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                    *task.future.lock().unwrap() = Some(future);
                }
            }
        })
    }

    /// Runs one ready task, chosen by `pick` among so many.
    pub fn run_one(&self, pick: impl FnOnce(usize) -> usize) -> bool {
        let task = {
            let mut ready = self.0.ready.lock().unwrap();
            if ready.is_empty() {
                return false;
            }
            let index = pick(ready.len());
            ready.remove(index)
        };
        let Some(task) = task else { return false };
        self.enter(|| {
            task.queued.store(false, Ordering::SeqCst);
            let waker = Waker::from(Arc::clone(&task));
            let future = task.future.lock().unwrap().take();
            if let Some(mut future) = future
                && future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            {
                *task.future.lock().unwrap() = Some(future);
            }
        });
        true
    }

    /// Moves the clock, waking who sleeps no longer.
    pub fn advance(&self, by: Duration) {
        let woken: Vec<Waker> = {
            let mut clock = self.0.clock.lock().unwrap();
            clock.now += by;
            let now = clock.now;
            let (due, later) = std::mem::take(&mut clock.sleepers)
                .into_iter()
                .partition(|(_, deadline, _)| *deadline <= now);
            clock.sleepers = later;
            due.into_iter().map(|(_, _, waker)| waker).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// When the first sleeper is to be woken, if anybody sleeps.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.0.clock.lock().unwrap().sleepers.iter().map(|(_, deadline, _)| *deadline).min()
    }

    /// Starts a future whose output can be asked for later.
    pub fn start<F>(&self, future: F) -> Outcome<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let outcome = Outcome(Arc::new(Mutex::new(None)));
        let slot = Arc::clone(&outcome.0);
        self.spawn(Box::pin(async move {
            let output = future.await;
            *slot.lock().unwrap() = Some(output);
        }));
        outcome
    }
}

/// What a started future came to, once it has.
pub struct Outcome<T>(Arc<Mutex<Option<T>>>);

impl<T> Outcome<T> {
    /// Takes it.
    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap().take()
    }
}

impl Spawn for TestExecutor {
    fn spawn(&self, future: BoxFuture<()>) {
        let task = Arc::new(Task {
            future: Mutex::new(Some(future)),
            queued: AtomicBool::new(true),
            executor: Arc::clone(&self.0),
        });
        self.0.ready.lock().unwrap().push_back(task);
    }

    fn now(&self) -> Duration {
        self.0.clock.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        let executor = Arc::clone(&self.0);
        let mut clock = self.0.clock.lock().unwrap();
        clock.next += 1;
        let (id, deadline) = (clock.next, clock.now + duration);
        drop(clock);
        Box::pin(Sleep { executor, id, deadline })
    }
}

/// Ends at its deadline, and wakes nobody any more once it is dropped.
struct Sleep {
    executor: Arc<Inner>,
    id: u64,
    deadline: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut clock = self.executor.clock.lock().unwrap();
        if clock.now >= self.deadline {
            return Poll::Ready(());
        }
        clock.sleepers.retain(|(id, ..)| *id != self.id);
        clock.sleepers.push((self.id, self.deadline, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut clock = self.executor.clock.lock().unwrap();
        let (gone, stay) =
            std::mem::take(&mut clock.sleepers).into_iter().partition(|(id, ..)| *id == self.id);
        clock.sleepers = stay;
        drop(clock);
        drop::<Vec<_>>(gone);
    }
}
