import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Leg } from "./leg.js";

class FakeStream {
  tracks = [];
  addTrack(track) {
    this.tracks.push(track);
  }
  removeTrack(track) {
    this.tracks.splice(this.tracks.indexOf(track), 1);
  }
  getTracks() {
    return [...this.tracks];
  }
}

class FakePeer {
  transceivers = [];
  connectionState = "new";
  closed = false;
  senders = {};
  addTransceiver(kind, options) {
    this.transceivers.push([kind, options.direction]);
    const sender = { track: null, replaceTrack: async (track) => (sender.track = track) };
    this.senders[kind] = sender;
    return { sender };
  }
  async createOffer() {
    const sdp = "v=0\r\na=candidate:1 1 udp 1 aa.local 9 typ host\r\nm=audio\r\n";
    return { type: "offer", sdp };
  }
  async setLocalDescription(offer) {
    if (offer.type !== "offer") throw new TypeError("a shim wants the offer");
    this.localDescription = offer;
  }
  async setRemoteDescription(description) {
    if (description.sdp === "bad") throw new Error("bad");
    this.remote = description;
  }
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  close() {
    this.closed = true;
  }
}

function setUp(hooks = {}) {
  const peers = [];
  const sent = [];
  const leg = new Leg("page-1", {
    send: (content) => sent.push(content),
    changed: () => {},
    makePeer: () => {
      peers.push(new FakePeer());
      return peers.at(-1);
    },
    makeStream: () => new FakeStream(),
    ...hooks,
  });
  return { leg, peers, sent };
}

test("it offers both ways but sends nothing, with no hidden candidates, and plays what comes", async () => {
  const { leg, peers, sent } = setUp();
  await leg.open(true);
  assert.deepEqual(peers[0].transceivers, [["audio", "sendrecv"], ["video", "sendrecv"]]);
  assert.ok(Object.values(peers[0].senders).every((sender) => sender.track === null));
  assert.deepEqual(sent, [{ type: "offer", page: "page-1", sdp: "v=0\r\nm=audio\r\n" }]);
  await leg.receive({ type: "answer", page: "page-1", sdp: "v=0" });
  assert.deepEqual(peers[0].remote, { type: "answer", sdp: "v=0" });
  peers[0].ontrack({ track: { kind: "video" } });
  peers[0].become("connected");
  assert.equal(leg.state, "connected");
  assert.equal(leg.stream.getTracks().length, 1);
  leg.close();
});

test("an audio call asks for no video, and opening twice makes one connection", async () => {
  const { leg, peers } = setUp();
  await Promise.all([leg.open(false), leg.open(false)]);
  assert.equal(peers.length, 1);
  assert.deepEqual(peers[0].transceivers, [["audio", "sendrecv"]]);
  leg.close();
});

test("it carries tracks until it is told to carry none", async () => {
  const { leg, peers } = setUp();
  const [sound, picture] = [{ kind: "audio" }, { kind: "video" }];
  leg.carry([picture]);
  await leg.open(true);
  assert.equal(peers[0].senders.video.track, picture);
  assert.equal(peers[0].senders.audio.track, null);
  leg.carry([sound, picture]);
  assert.equal(peers[0].senders.audio.track, sound);
  leg.carry([]);
  assert.equal(peers[0].senders.audio.track, null);
  assert.equal(peers[0].senders.video.track, null);
  leg.close();
});

test("a path that fails is lost with the reason", async () => {
  const { leg, peers } = setUp();
  await leg.open(true);
  peers[0].become("failed");
  assert.equal(leg.state, "lost");
  assert.match(leg.why, /no path/);
  assert.equal(leg.again, false);
  assert.ok(peers[0].closed);
});

test("an answer that leads nowhere is not waited for as long as the answer itself", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { leg } = setUp();
    await leg.open(true);
    mock.timers.tick(11_000);
    await leg.receive({ type: "answer", page: "page-1", sdp: "v=0" });
    mock.timers.tick(3900);
    assert.equal(leg.state, "connecting");
    mock.timers.tick(200);
    assert.equal(leg.state, "lost");
    assert.match(leg.why, /no path/);
  } finally {
    mock.timers.reset();
  }
});

test("a kernel that does not answer is noticed", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { leg } = setUp();
    await leg.open(true);
    mock.timers.tick(12_001);
    assert.equal(leg.state, "lost");
    assert.equal(leg.again, true, "that says nothing about the path");
    assert.match(leg.why, /did not answer/);
  } finally {
    mock.timers.reset();
  }
});

test("a refusal for good is passed on", async () => {
  const { leg } = setUp();
  await leg.open(true);
  await leg.receive({ type: "lost", page: "page-1", why: "Too many pages.", final: true });
  assert.equal(leg.state, "lost");
  assert.equal(leg.why, "Too many pages.");
  assert.equal(leg.final, true);
});

test("closing drops the tracks, and opens again", async () => {
  const { leg, peers } = setUp();
  await leg.open(true);
  peers[0].ontrack({ track: { kind: "audio" } });
  leg.close();
  leg.close();
  assert.equal(leg.stream.getTracks().length, 0);
  assert.ok(peers[0].closed);
  await leg.open(true);
  assert.equal(peers.length, 2);
  leg.close();
});

test("an answer that cannot be used is a loss, not an error", async () => {
  const { leg } = setUp();
  await leg.open(true);
  await leg.receive({ type: "answer", page: "page-1", sdp: "bad" });
  assert.equal(leg.state, "lost");
});

test("a browser without WebRTC says so", async () => {
  const leg = new Leg("page-1", {
    send: () => assert.fail("nothing to send"),
    changed: () => {},
    makePeer: () => {
      throw new ReferenceError("RTCPeerConnection is not defined");
    },
    makeStream: () => new FakeStream(),
  });
  await leg.open(true);
  assert.equal(leg.state, "lost");
  assert.match(leg.why, /no WebRTC/);
});

test("while a cell keeps the kernel busy nothing is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let busy = false;
    const { leg, peers } = setUp({ busy: () => busy });
    await leg.open(true);
    // An offer that the cell holds up has its time when the cell has ended.
    busy = true;
    mock.timers.tick(60_000);
    assert.equal(leg.state, "connecting");
    busy = false;
    mock.timers.tick(250);
    mock.timers.tick(11_000);
    assert.equal(leg.state, "connecting");

    peers[0].become("connected");
    busy = true;
    peers[0].become("disconnected");
    mock.timers.tick(60_000);
    assert.equal(peers[0].closed, false, "it may come back by itself");
    peers[0].become("connected");
    mock.timers.tick(60_000);
    assert.equal(leg.state, "connected");
    busy = false;
    peers[0].become("disconnected");
    mock.timers.tick(1501);
    assert.equal(leg.state, "lost");
  } finally {
    mock.timers.reset();
  }
});
