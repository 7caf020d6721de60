import assert from "node:assert/strict";
import { test } from "node:test";
import { Capture } from "./capture.js";

const ALL = { camera: true, microphone: true };

class FakeTrack {
  enabled = true;
  stopped = false;
  constructor(kind) {
    this.kind = kind;
  }
  stop() {
    this.stopped = true;
  }
}

class FakeStream {
  constructor(...kinds) {
    this.tracks = kinds.map((kind) => new FakeTrack(kind));
  }
  getTracks() {
    return this.tracks;
  }
}

function setUp(getMedia, isSecure = true) {
  const asked = [];
  let changes = 0;
  const capture = new Capture({
    changed: () => (changes += 1),
    getMedia: async (wish) => {
      asked.push(wish);
      return getMedia(wish);
    },
    isSecure: () => isSecure,
  });
  return { capture, asked, changes: () => changes };
}

function streamOf({ audio, video }) {
  return new FakeStream(...(audio ? ["audio"] : []), ...(video ? ["video"] : []));
}

const failing = (name) => () => {
  throw new DOMException("no", name);
};

test("it asks for what is wished, within the call's limits", async () => {
  const { capture, asked } = setUp(streamOf);
  capture.limit(360, 15);
  assert.equal(await capture.start(ALL), true);
  assert.deepEqual(asked, [
    {
      audio: true,
      video: { height: { ideal: 360 }, width: { ideal: 480 }, frameRate: { ideal: 15, max: 15 } },
    },
  ]);
  assert.deepEqual(capture.stream.getTracks().map((track) => track.kind), ["audio", "video"]);
  await capture.start(ALL);
  assert.equal(asked.length, 1, "once is enough");
});

test("a page that is not secure is told so without asking", async () => {
  const { capture, asked } = setUp(streamOf, false);
  assert.equal(await capture.start(ALL), false);
  assert.equal(asked.length, 0);
  assert.match(capture.refusal.cause, /only to pages from https or localhost/);
  assert.match(capture.refusal.remedy, /SSH tunnel/);
});

test("each refusal has a cause and a remedy", async () => {
  for (const [name, wish, words] of [
    ["NotAllowedError", ALL, /does not let the page use your camera or microphone/],
    ["NotFoundError", { camera: false, microphone: true }, /has no microphone/],
    ["NotReadableError", { camera: true, microphone: false }, /Your camera could not be started/],
    ["AbortError", ALL, /AbortError/],
  ]) {
    const { capture } = setUp(failing(name));
    assert.equal(await capture.start(wish), false);
    assert.match(capture.refusal.cause, words);
    assert.ok(capture.refusal.remedy);
    assert.equal(capture.asking, false);
  }
});

test("without a camera the microphone alone will do, and the other way round", async () => {
  const only = (kind) => (wish) => {
    if (wish.audio && wish.video) failing("NotFoundError")();
    return wish[kind] ? streamOf(wish) : failing("NotFoundError")();
  };
  for (const kind of ["audio", "video"]) {
    const { capture } = setUp(only(kind));
    assert.equal(await capture.start(ALL), true);
    assert.deepEqual(capture.stream.getTracks().map((track) => track.kind), [kind]);
  }
});

test("muting holds for tracks that come later too", async () => {
  const { capture } = setUp(streamOf);
  capture.setOn({ audio: false, video: true });
  await capture.start(ALL);
  assert.deepEqual(capture.stream.getTracks().map((track) => track.enabled), [false, true]);
  capture.setOn({ audio: true, video: false });
  assert.deepEqual(capture.stream.getTracks().map((track) => track.enabled), [true, false]);
});

test("stopping gives the devices back, also while the browser still asks", async () => {
  const { capture, changes } = setUp(streamOf);
  await capture.start(ALL);
  const { stream } = capture;
  capture.stop();
  assert.ok(stream.getTracks().every((track) => track.stopped));
  assert.equal(capture.active, false);
  const before = changes();
  capture.stop();
  assert.equal(changes(), before);

  let grant;
  const slow = setUp(() => new Promise((resolve) => (grant = resolve)));
  const starting = slow.capture.start(ALL);
  await Promise.resolve();
  assert.equal(slow.capture.asking, true);
  slow.capture.stop();
  const late = new FakeStream("audio", "video");
  grant(late);
  assert.equal(await starting, false);
  assert.ok(late.getTracks().every((track) => track.stopped));
  assert.equal(slow.capture.active, false);
});

test("a device that is unplugged ends it", async () => {
  const { capture } = setUp(streamOf);
  await capture.start(ALL);
  const [microphone, camera] = capture.stream.getTracks();
  camera.onended();
  assert.equal(capture.active, false);
  assert.ok(microphone.stopped);
});
