import assert from "node:assert/strict";
import { test } from "node:test";
import { Capture } from "./capture.js";

const ALL = { camera: true, microphone: true };

class FakeTrack {
  enabled = true;
  stopped = false;
  onended = null;
  contentHint = "";
  constructor(kind, id = "") {
    this.kind = kind;
    this.id = id;
  }
  getSettings() {
    return { deviceId: this.id };
  }
  clone() {
    return new FakeTrack(this.kind, this.id);
  }
  stop() {
    this.stopped = true;
  }
}

class FakeStream {
  constructor(tracks) {
    this.tracks = tracks;
  }
  getTracks() {
    return this.tracks;
  }
}

/** The devices that a test computer has, and what it was asked for. */
class FakeDevices extends EventTarget {
  asked = [];
  screens = [];
  found = [
    { kind: "videoinput", deviceId: "front", label: "Front" },
    { kind: "videoinput", deviceId: "back", label: "Back" },
    { kind: "audioinput", deviceId: "desk", label: "Desk" },
    { kind: "audiooutput", deviceId: "loud", label: "Loud" },
  ];
  /** Called with each wish; may throw, or give a stream of its own. */
  getMedia = () => null;
  async getUserMedia(wish) {
    this.asked.push(wish);
    const given = await this.getMedia(wish);
    if (given) return given;
    const idOf = (one, fallback) => one?.deviceId?.exact ?? fallback;
    const tracks = [];
    if (wish.audio) tracks.push(new FakeTrack("audio", idOf(wish.audio, "desk")));
    if (wish.video) tracks.push(new FakeTrack("video", idOf(wish.video, "front")));
    return new FakeStream(tracks);
  }
  getDisplayMedia = async (wish) => {
    this.screens.push(wish);
    return new FakeStream([new FakeTrack("video")]);
  };
  async enumerateDevices() {
    return this.found;
  }
}

function setUp({ isSecure = true, devices = new FakeDevices(), findModel } = {}) {
  let changes = 0;
  const capture = new Capture({
    changed: () => (changes += 1),
    devices: () => devices,
    isSecure: () => isSecure,
    makeStream: (tracks) => new FakeStream(tracks),
    findModel,
  });
  return { capture, devices, changes: () => changes };
}

const failing = (name) => () => {
  throw new DOMException("no", name);
};
const kinds = (capture) => capture.stream.getTracks().map((track) => track.kind);

test("it asks for what is wished, within the call's limits", async () => {
  const { capture, devices } = setUp();
  capture.limit(360, 15);
  assert.equal(await capture.start(ALL), true);
  assert.deepEqual(devices.asked, [
    {
      audio: true,
      video: { height: { ideal: 360 }, width: { ideal: 480 }, frameRate: { ideal: 15, max: 15 } },
    },
  ]);
  assert.deepEqual(kinds(capture), ["audio", "video"]);
  assert.deepEqual(capture.what, {
    camera: "front", microphone: "desk", screen: false, widget: false,
  });
  assert.equal(await capture.start(ALL), true);
  assert.equal(devices.asked.length, 1, "once is enough");
});

test("it tells what there is, and when that changes", async () => {
  const { capture, devices, changes } = setUp();
  assert.deepEqual(await capture.devices(), {
    cameras: [{ id: "front", label: "Front" }, { id: "back", label: "Back" }],
    microphones: [{ id: "desk", label: "Desk" }],
    screen: true,
  });
  devices.dispatchEvent(new Event("devicechange"));
  assert.equal(changes(), 1);
  capture.close();
  devices.dispatchEvent(new Event("devicechange"));
  assert.equal(changes(), 1);
  const none = setUp({ devices: null }).capture;
  assert.deepEqual(await none.devices(), { cameras: [], microphones: [], screen: false });
});

test("a page that is not secure is told so without asking", async () => {
  for (const wish of [ALL, { screen: true }]) {
    const { capture, devices } = setUp({ isSecure: false });
    assert.equal(await capture.start(wish), false);
    assert.equal(devices.asked.length + devices.screens.length, 0);
    assert.match(capture.refusal.cause, /only to pages from https or localhost/);
    assert.match(capture.refusal.remedy, /SSH tunnel/);
  }
});

test("each refusal has a cause and a remedy", async () => {
  for (const [name, wish, words] of [
    ["NotAllowedError", ALL, /does not let the page use your camera or microphone/],
    ["NotFoundError", { microphone: true }, /has no microphone/],
    ["NotReadableError", { camera: true }, /Your camera could not be started/],
    ["OverconstrainedError", { camera: true, cameraId: "gone" }, /not connected any more/],
    ["AbortError", ALL, /AbortError/],
    ["NotAllowedError", { screen: true }, /No screen was shared/],
    ["InvalidStateError", { screen: true }, /only right after a click/],
  ]) {
    const { capture, devices } = setUp();
    devices.getMedia = devices.getDisplayMedia = failing(name);
    assert.equal(await capture.start(wish), false);
    assert.match(capture.refusal.cause, words);
    assert.ok(capture.refusal.remedy);
    assert.equal(capture.asking, false);
    assert.equal(capture.active, false);
  }
});

test("without a camera the microphone alone will do, and the other way round", async () => {
  for (const kind of ["audio", "video"]) {
    const { capture, devices } = setUp();
    devices.getMedia = (wish) => {
      if ((wish.audio && wish.video) || !wish[kind]) failing("NotFoundError")();
    };
    assert.equal(await capture.start(ALL), true);
    assert.deepEqual(kinds(capture), [kind]);
  }
});

test("another camera takes over; the microphone goes on as the same track", async () => {
  const { capture, devices } = setUp();
  await capture.start(ALL);
  const [microphone, camera] = capture.stream.getTracks();
  const before = capture.stream;
  assert.equal(await capture.switchTo({ cameraId: "back" }), true);
  assert.deepEqual(devices.asked[1].video.deviceId, { exact: "back" });
  assert.equal(devices.asked[1].audio, false);
  assert.equal(capture.what.camera, "back");
  assert.equal(capture.track("audio"), microphone);
  assert.ok(camera.stopped && !microphone.stopped);
  assert.notEqual(capture.stream, before, "who shows it notices");
  capture.stop();
  await capture.start(ALL);
  assert.equal(capture.what.camera, "back", "chosen last time");
});

test("a switch that fails leaves everything as it was, and says why", async () => {
  const { capture, devices } = setUp();
  await capture.start(ALL);
  const { stream } = capture;
  devices.getMedia = failing("NotReadableError");
  assert.equal(await capture.switchTo({ cameraId: "back" }), false);
  assert.match(capture.refusal.cause, /camera could not be started/);
  assert.deepEqual(capture.stream.getTracks(), stream.getTracks());
  assert.ok(stream.getTracks().every((track) => !track.stopped));
  devices.getMedia = () => null;
  assert.equal(await capture.switchTo({ microphoneId: "desk" }), true);
  assert.equal(capture.refusal, null);
});

test("nothing can be chosen for one kind", async () => {
  const { capture } = setUp();
  await capture.start(ALL);
  await capture.switchTo({ cameraId: null });
  assert.deepEqual(kinds(capture), ["audio"]);
  await capture.switchTo({ microphoneId: null });
  assert.equal(capture.active, false);
});

test("the screen takes the camera's place and gives it back", async () => {
  const { capture, devices } = setUp();
  capture.limit(720, 10);
  await capture.start(ALL);
  const camera = capture.track("video");
  assert.equal(await capture.switchTo({ screen: true }), true);
  assert.deepEqual(devices.screens[0].video, {
    height: { max: 720 }, frameRate: { ideal: 10, max: 10 },
  });
  const screen = capture.track("video");
  assert.ok(camera.stopped);
  assert.equal(screen.contentHint, "detail");
  assert.deepEqual([capture.what.screen, capture.what.camera], [true, null]);
  assert.equal(await capture.switchTo({ screen: false }), true);
  assert.ok(screen.stopped);
  assert.equal(capture.what.camera, "front");
  // The browser's own "stop sharing".
  await capture.switchTo({ screen: true });
  capture.track("video").onended();
  await new Promise((done) => setTimeout(done));
  assert.equal(capture.what.camera, "front");
  assert.equal(capture.refusal, null);
});

test("a screen without a camera before it leaves nothing behind", async () => {
  const { capture } = setUp();
  await capture.switchTo({ screen: true });
  assert.deepEqual(kinds(capture), ["video"]);
  await capture.switchTo({ screen: false });
  assert.equal(capture.active, false);
});

test("a screen that is not chosen leaves the camera on", async () => {
  const { capture, devices } = setUp();
  await capture.start(ALL);
  devices.getDisplayMedia = failing("NotAllowedError");
  assert.equal(await capture.switchTo({ screen: true }), false);
  assert.equal(capture.what.camera, "front");
  assert.match(capture.refusal.cause, /No screen was shared/);
});

test("a widget's stream is copied, so that stopping leaves the widget's own alone", async () => {
  const own = new FakeStream([new FakeTrack("video"), new FakeTrack("audio")]);
  const asked = [];
  const findModel = async (id) => (asked.push(id), { stream: Promise.resolve(own) });
  const { capture } = setUp({ findModel, isSecure: false });
  assert.equal(await capture.start({ model: "IPY_MODEL_abc" }), true);
  assert.deepEqual(asked, ["abc"]);
  assert.equal(capture.what.widget, true);
  assert.equal(capture.what.microphone, null);
  capture.stop();
  assert.ok(own.getTracks().every((track) => !track.stopped));
});

test("a widget without a stream is said to have none", async () => {
  for (const findModel of [
    async () => ({ stream: Promise.reject(new Error("no camera")) }),
    async () => ({ stream: new FakeStream([]) }),
    async () => {
      throw new Error("no such model");
    },
  ]) {
    const { capture } = setUp({ findModel });
    assert.equal(await capture.start({ model: "IPY_MODEL_abc" }), false);
    assert.match(capture.refusal.cause, /ipywebrtc widget gave no picture/);
  }
});

test("muting holds for tracks that come later too", async () => {
  const { capture } = setUp();
  capture.setOn({ audio: false, video: true });
  await capture.start(ALL);
  assert.deepEqual(capture.stream.getTracks().map((track) => track.enabled), [false, true]);
  capture.setOn({ audio: true, video: false });
  await capture.switchTo({ cameraId: "back" });
  assert.deepEqual(capture.stream.getTracks().map((track) => track.enabled), [true, false]);
});

test("stopping gives the devices back, also while the browser still asks", async () => {
  const { capture, changes } = setUp();
  await capture.start(ALL);
  const { stream } = capture;
  capture.stop();
  assert.ok(stream.getTracks().every((track) => track.stopped));
  assert.equal(capture.active, false);
  const before = changes();
  capture.stop();
  assert.equal(changes(), before);

  let grant;
  const slow = setUp();
  slow.devices.getMedia = () => new Promise((resolve) => (grant = resolve));
  const starting = slow.capture.start(ALL);
  await Promise.resolve();
  assert.equal(slow.capture.asking, true);
  slow.capture.stop();
  assert.equal(slow.capture.asking, false);
  const late = new FakeStream([new FakeTrack("audio"), new FakeTrack("video")]);
  grant(late);
  assert.equal(await starting, false);
  assert.ok(late.getTracks().every((track) => track.stopped));
  assert.equal(slow.capture.active, false);
});

test("of two switches in a row the later one counts, whichever is ready first", async () => {
  const { capture, devices } = setUp();
  await capture.start(ALL);
  const grants = [];
  devices.getMedia = (wish) =>
    new Promise((resolve) => {
      const track = new FakeTrack("video", wish.video.deviceId.exact);
      grants.push(() => (resolve(new FakeStream([track])), track));
    });
  const [first, second] = [
    capture.switchTo({ cameraId: "back" }),
    capture.switchTo({ cameraId: "front2" }),
  ];
  await Promise.resolve();
  grants[1]();
  const outdated = grants[0]();
  assert.deepEqual(await Promise.all([first, second]), [false, true]);
  assert.equal(capture.what.camera, "front2");
  assert.ok(outdated.stopped);
});

test("a device that is unplugged ends its kind, and says so", async () => {
  const { capture } = setUp();
  await capture.start(ALL);
  const [microphone, camera] = capture.stream.getTracks();
  camera.onended();
  assert.deepEqual(kinds(capture), ["audio"]);
  assert.match(capture.refusal.cause, /The camera was disconnected/);
  microphone.onended();
  assert.equal(capture.active, false);
});
