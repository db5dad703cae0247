//! What a peer may make wait in all its streams, blobs and calls together has a bound. Above it a
//! stream breaks, or a call fails, and nothing else.

use std::sync::{Arc, Mutex};

use capnweb::{
    Error, Limits, Options, Promise, Stub, Value,
    stream::{ReadableStream, WritableStream},
};
use capnweb_tests::{Gate, Peer, target};
use futures::{SinkExt, StreamExt, channel::mpsc};

const TOO_MUCH: &str =
    r#"["error","Error","More than 1000 bytes of this session are unread (max_waiting_bytes)."]"#;

/// Keeps streams, and reads or drops them when told to.
fn keeper() -> Stub {
    let kept = Arc::new(Mutex::new(Vec::<ReadableStream<String>>::new()));
    target(move |call| match call.method() {
        "keep" => call.reply(|(stream,): (ReadableStream<String>,)| {
            kept.lock().unwrap().push(stream);
            Ok(())
        }),
        "read" => call.reply_async(|(at,): (usize,)| {
            let stream = kept.lock().unwrap()[at].clone();
            async move { stream.into_future().await.0.transpose() }
        }),
        "drop" => call.reply(|(at,): (usize,)| {
            kept.lock().unwrap().remove(at);
            Ok(())
        }),
        "echo" => call.reply(|(value,): (Value,)| Ok(value)),
        "slow" => call.reply_async(|()| std::future::pending::<Result<(), Error>>()),
        _ => call.no_such_method(),
    })
}

/// A session that lets 1000 bytes wait, and a script that counts the ids.
struct Script {
    peer: Peer,
    next: u32,
}

impl Script {
    fn new(main: Stub) -> Self {
        let mut limits = Limits::default();
        limits.max_waiting_bytes = 1000;
        Self { peer: Peer::new(Some(main), Options::new().limits(limits)), next: 1 }
    }

    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    fn pipe(&mut self) -> u32 {
        self.peer.exchange(r#"["pipe"]"#, &[]);
        self.id()
    }

    /// Calls a method and expects this answer to it among others, which are returned.
    #[track_caller]
    fn call(&mut self, method: &str, args: &str, answer: &str) -> Vec<String> {
        let id = self.id();
        let mut answers =
            self.peer.send(&format!(r#"["push",["pipeline",0,["{method}"],[{args}]]]"#));
        answers.extend(self.peer.send(&format!(r#"["pull",{id}]"#)));
        let expected = format!("[\"resolve\",{id},{answer}]");
        let place = answers.iter().position(|answer| *answer == expected);
        answers.remove(place.unwrap_or_else(|| panic!("{expected} is not among {answers:?}")));
        answers
    }

    /// Writes so many bytes, and returns the id of the answer, and what comes at once.
    fn write(&mut self, to: u32, bytes: usize) -> (u32, Vec<String>) {
        let chunk = "x".repeat(bytes - r#"[""]"#.len());
        let out = self.peer.send(&format!(r#"["stream",["pipeline",{to},["write"],["{chunk}"]]]"#));
        (self.id(), out)
    }

    /// Writes as many bytes, which are taken and wait.
    #[track_caller]
    fn fits(&mut self, to: u32, bytes: usize) -> u32 {
        let (id, out) = self.write(to, bytes);
        assert!(out.is_empty(), "{bytes} bytes do not wait: {out:?}");
        id
    }

    /// Sends this twice, and the second one is too much.
    #[track_caller]
    fn is_kept_once(&mut self, push: &str) {
        self.peer.exchange(push, &[]);
        let kept = self.id();
        self.peer.exchange(&format!("[\"pull\",{kept}]"), &[]);
        self.peer.exchange(push, &[]);
        let refused = self.id();
        let answer = format!("[\"reject\",{refused},{TOO_MUCH}]");
        self.peer.exchange(&format!("[\"pull\",{refused}]"), &[&answer]);
        let pipe = self.pipe();
        self.is_refused(pipe, 500);
    }

    #[track_caller]
    fn is_refused(&mut self, to: u32, bytes: usize) {
        let (id, out) = self.write(to, bytes);
        assert!(out.contains(&format!("[\"reject\",{id},{TOO_MUCH}]")), "{out:?}");
    }

    /// Makes the same call twice: the arguments of the first wait, and nothing else can beside them.
    #[track_caller]
    fn fits_once(&mut self, call: &str) {
        self.peer.exchange(call, &[]);
        self.id();
        self.peer.exchange(call, &[]);
        let refused = self.id();
        self.peer.exchange(
            &format!("[\"pull\",{refused}]"),
            &[&format!("[\"reject\",{refused},{TOO_MUCH}]")],
        );
        let pipe = self.pipe();
        self.is_refused(pipe, 500);
    }
}

#[test]
fn many_streams_share_one_bound_and_the_session_goes_on() {
    let mut script = Script::new(keeper());
    let pipes: Vec<_> = (0..10).map(|_| script.pipe()).collect();
    for &pipe in &pipes {
        script.call("keep", &format!(r#"["readable",{pipe}]"#), r#"["undefined"]"#);
    }
    for &pipe in &pipes {
        script.fits(pipe, 100);
    }
    script.is_refused(pipes[9], 5);
    // That stream is broken for both sides, and what it held has made room.
    script.is_refused(pipes[9], 5);
    script.call("drop", "9", r#"["undefined"]"#);
    script.fits(pipes[0], 100);
    script.is_refused(pipes[8], 5);
    assert_eq!(script.call("echo", "7", "7"), [""; 0]);
    assert!(script.peer.session.close_reason().is_none());
}

#[test]
fn the_reader_of_a_stream_beyond_the_bound_sees_why_it_ended() {
    let mut script = Script::new(keeper());
    let pipe = script.pipe();
    script.call("keep", &format!(r#"["readable",{pipe}]"#), r#"["undefined"]"#);
    script.fits(pipe, 600);
    script.is_refused(pipe, 600);
    let id = script.id();
    let mut answers = script.peer.send(r#"["push",["pipeline",0,["read"],[0]]]"#);
    answers.extend(script.peer.send(&format!(r#"["pull",{id}]"#)));
    assert_eq!(answers, [format!("[\"reject\",{id},{TOO_MUCH}]")]);
}

#[test]
fn reading_makes_room_in_every_stream() {
    let mut script = Script::new(keeper());
    let (first, second) = (script.pipe(), script.pipe());
    script.call("keep", &format!(r#"["readable",{first}]"#), r#"["undefined"]"#);
    script.fits(second, 500);
    let answer = format!(r#""{}""#, "x".repeat(496));
    for _ in 0..10 {
        let taken = script.fits(first, 500);
        let others = script.call("read", "0", &answer);
        assert_eq!(others, [format!("[\"resolve\",{taken},[\"undefined\"]]")]);
    }
    script.fits(second, 500);
    script.is_refused(second, 5);
}

#[test]
fn a_stream_that_is_dropped_makes_room_whoever_drops_it() {
    let mut script = Script::new(keeper());
    let (kept, unused) = (script.pipe(), script.pipe());
    script.call("keep", &format!(r#"["readable",{kept}]"#), r#"["undefined"]"#);
    script.fits(kept, 500);
    script.fits(unused, 500);
    // Its reader.
    assert_eq!(script.call("drop", "0", r#"["undefined"]"#).len(), 1, "the write is answered");
    let next = script.pipe();
    script.fits(next, 500);
    // Its writer.
    assert_eq!(script.peer.send(&format!(r#"["release",{unused},1]"#)).len(), 1);
    let next = script.pipe();
    script.fits(next, 500);
    script.is_refused(next, 5);
}

#[test]
fn chunks_are_counted_for_the_session_that_wrote_them() {
    let (sender, mut receiver) = mpsc::channel::<String>(0);
    let sender = Arc::new(Mutex::new(Some(sender)));
    let mut script = Script::new(target(move |call| match call.method() {
        "open" => call.reply(|()| {
            let sink = sender.lock().unwrap().take().unwrap().sink_map_err(Error::msg);
            Ok(WritableStream::new(sink))
        }),
        _ => call.no_such_method(),
    }));
    let id = script.id();
    script.peer.exchange(r#"["push",["pipeline",0,["open"],[]]]"#, &[]);
    script
        .peer
        .exchange(&format!("[\"pull\",{id}]"), &[&format!(r#"["resolve",{id},["writable",-1]]"#)]);
    let write = |bytes: usize| {
        let chunk = "x".repeat(bytes - r#"[""]"#.len());
        script.peer.send(&format!(r#"["stream",["pipeline",-1,["write"],["{chunk}"]]]"#)).concat()
    };
    // The sink is given one, and takes no other before that has been received.
    assert!(write(500).contains("\"resolve\""));
    assert_eq!(write(1000), "");
    assert!(receiver.try_recv().is_ok());
    assert!(script.peer.outgoing().concat().contains("\"resolve\""), "the next one is taken");
    assert_eq!(write(1000), "");
    assert!(write(5).contains("max_waiting_bytes"));
}

#[test]
fn blobs_count_until_they_are_delivered() {
    let mut script = Script::new(keeper());
    let bytes = "A".repeat(184);
    let write = |script: &mut Script, pipe: u32| {
        let frame = format!(r#"["stream",["pipeline",{pipe},["write"],[["bytes","{bytes}"]]]]"#);
        let out = script.peer.send(&frame).concat();
        script.id();
        out
    };
    let blob = |script: &mut Script| {
        let pipe = script.pipe();
        let frame =
            format!(r#"["push",["pipeline",0,["echo"],[["blob","",["readable",{pipe}]]]]]"#);
        script.peer.exchange(&frame, &[]);
        (pipe, script.id())
    };
    let (first, _) = blob(&mut script);
    let (second, failing) = blob(&mut script);
    // 138 bytes each, and on their way a little more.
    for pipe in [first, first, first, second, second, second] {
        assert!(write(&mut script, pipe).contains("\"resolve\""));
    }
    assert!(write(&mut script, second).contains("\"reject\""));
    script.peer.exchange(
        &format!("[\"pull\",{failing}]"),
        &[&format!("[\"reject\",{failing},{TOO_MUCH}]")],
    );
    // A blob that came, and one that failed, take no room.
    let close = format!(r#"["stream",["pipeline",{first},["close"],[]]]"#);
    let id = script.id();
    assert!(script.peer.send(&close).contains(&format!(r#"["resolve",{id},["undefined"]]"#)));
    let pipe = script.pipe();
    script.fits(pipe, 1000);
}

#[test]
fn a_blob_that_came_counts_while_its_call_waits_for_another() {
    let mut script = Script::new(keeper());
    let (first, second) = (script.pipe(), script.pipe());
    let frame = format!(
        r#"["push",["pipeline",0,["echo"],[["blob","",["readable",{first}]],["blob","",["readable",{second}]]]]]"#
    );
    script.peer.exchange(&frame, &[]);
    script.id();
    let bytes = "A".repeat(800);
    script
        .peer
        .send(&format!(r#"["stream",["pipeline",{first},["write"],[["bytes","{bytes}"]]]]"#));
    script.id();
    script.peer.send(&format!(r#"["stream",["pipeline",{first},["close"],[]]]"#));
    script.id();
    let pipe = script.pipe();
    script.is_refused(pipe, 500);
    script.peer.send(&format!(r#"["stream",["pipeline",{second},["close"],[]]]"#));
    script.id();
    let pipe = script.pipe();
    script.fits(pipe, 1000);
}

#[test]
fn a_blob_that_is_sent_on_counts_until_it_has_left() {
    let far = Peer::new(None, Options::new());
    let mut script = Script::new(far.connection.main());
    let pipe = script.pipe();
    let frame = format!(r#"["push",["pipeline",0,["f"],[["blob","",["readable",{pipe}]]]]]"#);
    script.peer.exchange(&frame, &[]);
    script.id();
    // More than the first window, by itself.
    let bytes = "A".repeat(400_000);
    script.peer.send(&format!(r#"["stream",["pipeline",{pipe},["write"],[["bytes","{bytes}"]]]]"#));
    script.id();
    script.peer.send(&format!(r#"["stream",["pipeline",{pipe},["close"],[]]]"#));
    script.id();
    far.outgoing();
    script.peer.outgoing();
    let sent = far.outgoing();
    assert!(!sent.iter().any(|message| message.contains("close")), "the far side has all of it");
    let other = script.pipe();
    script.is_refused(other, 500);
    for answered in 3..8 {
        far.send(&format!(r#"["resolve",{answered},["undefined"]]"#));
    }
    let other = script.pipe();
    script.fits(other, 1000);
}

#[test]
fn arguments_that_wait_for_a_promise_count_too() {
    let mut script = Script::new(keeper());
    script.peer.exchange(r#"["push",["pipeline",0,["slow"],[]]]"#, &[]);
    let slow = script.id();
    let text = "x".repeat(900);
    let frame = format!(r#"["push",["pipeline",0,["echo"],[["pipeline",{slow}],"{text}"]]]"#);
    script.fits_once(&frame);
    assert_eq!(script.call("echo", "7", "7"), [""; 0]);
}

#[test]
fn arguments_of_calls_on_a_promise_count_until_they_are_passed_on() {
    let mut script = Script::new(keeper());
    let pipe = script.pipe();
    script.call("keep", &format!(r#"["readable",{pipe}]"#), r#"["undefined"]"#);
    script.peer.exchange(r#"["push",["pipeline",0,["read"],[0]]]"#, &[]);
    let promise = script.id();
    let text = "x".repeat(896);
    let frame = format!(r#"["push",["pipeline",{promise},["f"],["{text}"]]]"#);
    script.fits_once(&frame);
    // Now the promise is known.
    let (id, out) = script.write(pipe, 5);
    assert_eq!(out, [format!("[\"resolve\",{id},[\"undefined\"]]")]);
    script.fits(pipe, 1000);
}

/// A promise that nobody keeps, and a text that fits in beside it once.
fn slow_and_text(script: &mut Script) -> (u32, String) {
    script.peer.exchange(r#"["push",["pipeline",0,["slow"],[]]]"#, &[]);
    (script.id(), "x".repeat(800))
}

#[test]
fn maps_of_a_promise_count_with_their_instructions() {
    let mut script = Script::new(keeper());
    let (slow, text) = slow_and_text(&mut script);
    let map = format!(r#"["push",["remap",{slow},[],[],["{text}"]]]"#);
    script.is_kept_once(&map);
}

#[test]
fn maps_of_what_a_call_has_not_returned_yet_count_too() {
    let gate = Gate::new();
    let shut = gate.clone();
    let mut script = Script::new(target(move |call| {
        let shut = shut.clone();
        let promise = Promise::<Value>::from_future(async move {
            shut.wait().await;
            Ok(Value::Null)
        });
        call.reply(|()| Ok(vec![Value::from(promise)]))
    }));
    // The array is known, its element is not.
    script.peer.exchange(r#"["push",["pipeline",0,["promise"],[]]]"#, &[]);
    let promise = script.id();
    let map = format!(r#"["push",["remap",{promise},[0],[],["{}"]]]"#, "x".repeat(800));
    script.is_kept_once(&map);
}

#[test]
fn paths_count_in_calls_and_property_reads() {
    let mut script = Script::new(keeper());
    let (slow, text) = slow_and_text(&mut script);
    script.is_kept_once(&format!(r#"["push",["pipeline",{slow},["{text}"],[]]]"#));
    let mut script = Script::new(keeper());
    let (slow, text) = slow_and_text(&mut script);
    script.is_kept_once(&format!(r#"["push",["pipeline",{slow},["{text}"]]]"#));
    let mut script = Script::new(keeper());
    let (slow, text) = slow_and_text(&mut script);
    script.is_kept_once(&format!(r#"["push",["pipeline",0,["{text}"],[["pipeline",{slow}]]]]"#));
}

#[test]
fn values_count_while_a_call_that_they_are_used_in_waits() {
    // For a promise beside the value, or for the promise that the call is made on.
    let waiting: [fn(u32, u32) -> String; 2] = [
        |value, slow| format!(r#"0,["echo"],[["pipeline",{value}],["pipeline",{slow}]]"#),
        |value, slow| format!(r#"{slow},["f"],[["pipeline",{value}]]"#),
    ];
    for call in waiting {
        let mut script = Script::new(keeper());
        let (slow, text) = slow_and_text(&mut script);
        let call = |script: &mut Script| {
            script.peer.exchange(&format!(r#"["push","{text}"]"#), &[]);
            let value = script.id();
            let frame = format!(r#"["push",["pipeline",{}]]"#, call(value, slow));
            script.peer.exchange(&frame, &[]);
            script.peer.exchange(&format!(r#"["release",{value},1]"#), &[]);
            script.id()
        };
        let kept = call(&mut script);
        script.peer.exchange(&format!("[\"pull\",{kept}]"), &[]);
        let refused = call(&mut script);
        let answer = format!("[\"reject\",{refused},{TOO_MUCH}]");
        script.peer.exchange(&format!("[\"pull\",{refused}]"), &[&answer]);
    }
}

#[test]
fn a_promise_that_is_resolved_counts_while_its_call_waits_for_another() {
    let mut script = Script::new(keeper());
    let frame = r#"["push",["pipeline",0,["echo"],[["promise",-1],["promise",-2]]]]"#;
    script.peer.send(frame);
    script.id();
    let text = "x".repeat(800);
    script.peer.send(&format!(r#"["resolve",-1,"{text}"]"#));
    let pipe = script.pipe();
    script.is_refused(pipe, 500);
    script.peer.send(r#"["resolve",-2,1]"#);
    let pipe = script.pipe();
    script.fits(pipe, 1000);
}

#[test]
fn a_single_chunk_beyond_the_bound_is_read_if_nothing_else_waits() {
    let mut script = Script::new(keeper());
    let pipe = script.pipe();
    script.fits(pipe, 5000);
    script.is_refused(pipe, 5);
}
