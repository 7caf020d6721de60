import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Ladder } from "./ladder.js";
import { Watch } from "./watch.js";

/** A way that does what the test tells it. */
class FakeRung {
  constructor(path, hooks) {
    Object.assign(this, { path, hooks, state: "idle", why: "", again: false, final: false });
    this.stream = { name: path };
    this.pc = path === "webrtc" ? {} : null;
    this.heard = [];
    this.carried = [];
    this.closed = false;
  }
  open(hasVideo) {
    this.hasVideo = hasVideo;
    this.become("connecting");
  }
  become(state, facts = {}) {
    Object.assign(this, { state, ...facts });
    this.hooks.changed();
  }
  receive(message) {
    this.heard.push(message.type);
    if (message.type === "lost") this.become("lost", { again: false, final: false, ...message });
  }
  carry(tracks) {
    this.carried = tracks;
  }
  close() {
    this.closed = true;
  }
}

function setUp(hooks = {}) {
  const rungs = [];
  const sent = [];
  const stored = new Map();
  const ladder = new Ladder("page-1", {
    send: (content) => sent.push(content.type),
    changed: () => {},
    makeStream: () => ({ name: "none" }),
    makeRung: (path, given) => rungs[rungs.push(new FakeRung(path, given)) - 1],
    obstacle: () => "",
    memory: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, value),
      removeItem: (key) => stored.delete(key),
    },
    ...hooks,
  });
  return { ladder, rungs, sent, paths: () => rungs.map((one) => one.path) };
}

/** Runs a test with a clock of its own. */
function timed(run) {
  return () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      run();
    } finally {
      mock.timers.reset();
    }
  };
}

test("the best way that works is taken, and there is nothing to explain", () => {
  const { ladder, rungs } = setUp();
  assert.deepEqual([ladder.state, ladder.path, ladder.stream.name], ["idle", "", "none"]);
  ladder.open(true);
  assert.deepEqual([ladder.state, ladder.path], ["opening", ""]);
  rungs[0].become("connected");
  assert.deepEqual([ladder.state, ladder.path, ladder.why], ["connected", "webrtc", ""]);
  assert.equal(ladder.stream, rungs[0].stream);
  assert.equal(ladder.pc, rungs[0].pc);
  assert.equal(ladder.link, rungs[0]);
});

test("each way that fails is left for the next, with what it carries and the reasons", () => {
  const { ladder, rungs, paths } = setUp();
  const camera = { kind: "video" };
  ladder.carry([camera]);
  ladder.open(true);
  rungs[0].become("lost", { why: "No UDP." });
  assert.equal(rungs[0].closed, true);
  assert.deepEqual(rungs[1].carried, [camera]);
  rungs[1].become("connected");
  assert.deepEqual([ladder.path, ladder.why, ladder.pc], ["comm", "No UDP.", null]);
  const link = ladder.link;
  rungs[1].become("lost", { why: "No decoder." });
  rungs[2].become("connected");
  assert.deepEqual([ladder.path, ladder.why], ["jpeg", "No UDP. No decoder."]);
  assert.notEqual(ladder.link, link);
  assert.deepEqual(paths(), ["webrtc", "comm", "jpeg"]);
  assert.ok(rungs.every((one) => one.hasVideo));
});

test("a way that this page cannot go is left out, with its reason", () => {
  const { ladder, rungs, paths } = setUp({
    obstacle: (path) => (path === "comm" ? "Plain http." : ""),
  });
  ladder.open(false);
  rungs[0].become("lost", { why: "No UDP." });
  rungs[1].become("connected");
  assert.deepEqual(paths(), ["webrtc", "jpeg"]);
  assert.equal(ladder.why, "No UDP. Plain http.");
});

test(
  "a forced way is the only one, tried a few times", timed(() => {
    const { ladder, rungs, paths } = setUp();
    ladder.force = "comm";
    ladder.open(true);
    rungs[0].become("connected");
    assert.deepEqual([ladder.path, ladder.why], ["comm", 'Asked for with transport="comm".']);
    for (let i = 0; i < 4; i++) {
      rungs.at(-1).become("lost", { why: "No decoder." });
      assert.equal(ladder.state, "opening");
      mock.timers.tick(8001);
    }
    rungs.at(-1).become("lost", { why: "No decoder." });
    assert.deepEqual([ladder.state, ladder.why], ["lost", "No decoder."]);
    assert.deepEqual(new Set(paths()), new Set(["comm"]));
    assert.equal(rungs.length, 5);
  }),
);

test(
  "what says nothing about the way is tried again on the same one", timed(() => {
    const { ladder, rungs, paths } = setUp();
    ladder.open(true);
    rungs[0].become("connected");
    ladder.receive({
      type: "lost", page: "page-1", path: "webrtc", why: "A new connection.", again: true,
    });
    assert.equal(ladder.state, "opening");
    mock.timers.tick(501);
    assert.deepEqual(paths(), ["webrtc", "webrtc"]);
    rungs[1].become("connected");
    assert.equal(ladder.why, "");
  }),
);

test("messages for other pages, and of a way that was left, are passed over", () => {
  const { ladder, rungs } = setUp();
  ladder.open(true);
  rungs[0].become("lost", { why: "No UDP." });
  rungs[1].become("connected");
  ladder.receive({ type: "lost", page: "page-1", path: "webrtc", why: "late" });
  ladder.receive({ type: "frames", page: "page-2" });
  ladder.receive({ type: "frames", page: "page-1" });
  assert.deepEqual(rungs[1].heard, ["frames"]);
  assert.equal(ladder.state, "connected");
});

test(
  "while the kernel has no media it waits without counting a failure, and comes when told", timed(() => {
    const { ladder, rungs, paths } = setUp();
    const wait = { type: "wait", page: "page-1", path: "webrtc", why: "Nothing comes yet." };
    ladder.open(true);
    ladder.receive({ ...wait, page: "page-2" });
    assert.equal(ladder.state, "opening");
    ladder.receive(wait);
    assert.deepEqual([ladder.state, rungs[0].closed, ladder.path], ["waiting", true, ""]);
    ladder.receive({ type: "ready" });
    assert.deepEqual([ladder.state, rungs.length], ["opening", 2], "at once");
    for (let i = 0; i < 20; i++) {
      ladder.receive(wait);
      assert.equal(ladder.state, "waiting");
      mock.timers.tick(8001);
      assert.equal(ladder.state, "opening", "and now and then by itself");
    }
    rungs.at(-1).become("connected");
    assert.deepEqual([ladder.path, ladder.why], ["webrtc", ""]);
    assert.deepEqual(new Set(paths()), new Set(["webrtc"]));
    ladder.receive({ type: "ready" });
    assert.equal(ladder.state, "connected", "it is told to others");
    ladder.close();
    mock.timers.tick(60_000);
    assert.equal(ladder.state, "idle");
  }),
);

test(
  "what was lost comes again when there are media, unless it was refused for good", timed(() => {
    const { ladder, rungs } = setUp();
    ladder.force = "comm";
    ladder.open(true);
    for (let i = 0; i < 5; i++) {
      rungs.at(-1).become("lost", { why: "No decoder." });
      mock.timers.tick(8001);
    }
    assert.equal(ladder.state, "lost");
    ladder.receive({ type: "ready" });
    assert.equal(ladder.state, "opening");
    ladder.receive({ type: "lost", page: "page-1", path: "comm", why: "Too many.", final: true });
    ladder.receive({ type: "ready" });
    assert.deepEqual([ladder.state, ladder.why], ["lost", "Too many."]);
  }),
);

test("a refusal for good ends it", () => {
  const { ladder, rungs } = setUp();
  ladder.open(true);
  ladder.receive({ type: "lost", page: "page-1", path: "webrtc", why: "Too many.", final: true });
  assert.deepEqual([ladder.state, ladder.why, rungs.length], ["lost", "Too many.", 1]);
});

test("closing says good-bye once, and it opens again", () => {
  const { ladder, rungs, sent } = setUp();
  ladder.close();
  ladder.open(true);
  rungs[0].become("connected");
  ladder.close();
  ladder.close();
  assert.deepEqual(sent, ["bye"]);
  assert.deepEqual([ladder.state, ladder.stream.name, rungs[0].closed], ["idle", "none", true]);
  ladder.open(true);
  assert.equal(rungs.length, 2);
});

test(
  "where WebRTC found no path, the next call does not wait for it for a while", timed(() => {
    const { ladder, rungs, paths } = setUp();
    ladder.open(true);
    rungs[0].become("lost", { why: "No UDP." });
    rungs[1].become("connected");
    ladder.close();
    ladder.open(true);
    rungs[2].become("connected");
    assert.deepEqual(paths(), ["webrtc", "comm", "comm"]);
    assert.match(ladder.why, /a short while ago/);
    ladder.close();
    mock.timers.tick(11 * 60_000);
    ladder.open(true);
    assert.equal(paths().at(-1), "webrtc");
    rungs.at(-1).become("connected");
    // One that worked and then broke is worth another try.
    rungs.at(-1).become("lost", { why: "It died." });
    ladder.close();
    ladder.open(true);
    assert.equal(paths().at(-1), "webrtc");
    ladder.close();
  }),
);

test(
  "while a cell keeps the kernel busy no way is left or tried", timed(() => {
    let busy = false;
    const { ladder, rungs, paths } = setUp({ busy: () => busy });
    ladder.open(true);
    rungs[0].become("connected");
    busy = true;
    rungs[0].become("lost", { why: "It died." });
    mock.timers.tick(120_000);
    assert.deepEqual([ladder.state, rungs.length], ["opening", 1]);
    busy = false;
    mock.timers.tick(250);
    assert.deepEqual(paths(), ["webrtc", "webrtc"]);
    ladder.close();
  }),
);

test(
  "what breaks just after the kernel stood still was not broken by the path", timed(() => {
    const { ladder, rungs, paths } = setUp();
    ladder.open(true);
    rungs[0].become("connected");
    ladder.receive({ type: "sent", page: "page-1" });
    mock.timers.tick(35_000);
    ladder.receive({ type: "lost", page: "page-1", path: "webrtc", why: "no consent" });
    mock.timers.tick(1000);
    assert.deepEqual(paths(), ["webrtc", "webrtc"]);
    rungs[1].become("connected");
    for (let i = 0; i < 20; i++) {
      mock.timers.tick(400);
      ladder.receive({ type: "sent", page: "page-1" });
    }
    ladder.receive({ type: "lost", page: "page-1", path: "webrtc", why: "no consent" });
    assert.equal(paths().at(-1), "comm");
    ladder.close();
  }),
);

test("a connection on which much leaves and nothing comes is dead within 1.7 s", () => {
  const watch = new Watch();
  let [sent, received, now] = [0, 0, 0];
  const beat = (came) => {
    now += 400;
    sent += 30;
    received += came;
    return watch.beat(sent, received, now);
  };
  for (let i = 0; i < 10; i++) assert.equal(beat(30), false);
  assert.equal(beat(7), false, "cut in the middle of it");
  assert.deepEqual([beat(0), beat(0), beat(0)], [false, false, true]);
});

test("a far end that is silent, a kernel that is busy and a page that was are not missed", () => {
  const watch = new Watch();
  for (let i = 0; i < 10; i++) assert.equal(watch.beat(100, 90, 400 * i), false);
  // The page stood still: many are told at once.
  for (let i = 0; i < 10; i++) assert.equal(watch.beat(130 + 30 * i, 90, 8000 + 5 * i), false);
  assert.equal(watch.beat(430, 420, 8400), false);
  // Losing some is not losing all.
  for (let i = 0; i < 10; i++) assert.equal(watch.beat(460 + 30 * i, 421 + i, 9000 + 400 * i), false);
});
