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
  async setLocalDescription() {
    this.localDescription = {
      sdp: "v=0\r\na=candidate:1 1 udp 1 aa.local 9 typ host\r\nm=audio\r\n",
    };
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

function setUp() {
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

test("it carries tracks, also over the next connection, until it is told to carry none", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { leg, peers } = setUp();
    await leg.open(true);
    const [sound, picture] = [{ kind: "audio" }, { kind: "video" }];
    leg.carry([picture]);
    assert.equal(peers[0].senders.video.track, picture);
    assert.equal(peers[0].senders.audio.track, null);
    leg.carry([sound, picture]);
    assert.equal(peers[0].senders.audio.track, sound);
    peers[0].become("failed");
    mock.timers.tick(501);
    await Promise.resolve();
    assert.equal(peers[1].senders.audio.track, sound);
    assert.equal(peers[1].senders.video.track, picture);
    leg.carry([]);
    assert.equal(peers[1].senders.audio.track, null);
    assert.equal(peers[1].senders.video.track, null);
    leg.close();
  } finally {
    mock.timers.reset();
  }
});

test("messages for other pages are passed over", async () => {
  const { leg, peers } = setUp();
  await leg.open(true);
  await leg.receive({ type: "answer", page: "page-2", sdp: "v=0" });
  await leg.receive({ type: "lost", page: "page-2", why: "gone" });
  assert.equal(peers[0].remote, undefined);
  assert.equal(leg.state, "connecting");
  leg.close();
});

test("a lost leg is made again, a few times, then says why", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { leg, peers, sent } = setUp();
    await leg.open(true);
    for (let i = 0; i < 4; i++) {
      peers.at(-1).become("failed");
      assert.equal(leg.state, "waiting");
      mock.timers.tick(8001);
      await Promise.resolve();
      assert.equal(leg.state, "connecting");
    }
    peers.at(-1).become("failed");
    assert.equal(leg.state, "lost");
    assert.match(leg.why, /no path/);
    assert.equal(peers.length, 5);
    assert.ok(peers.every((peer) => peer.closed));
    assert.equal(sent.filter((content) => content.type === "offer").length, 5);
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
    assert.equal(leg.state, "waiting");
    assert.match(leg.why, /did not answer/);
    leg.close();
  } finally {
    mock.timers.reset();
  }
});

test("a refusal for good is not tried again", async () => {
  const { leg } = setUp();
  await leg.open(true);
  await leg.receive({ type: "lost", page: "page-1", why: "Too many pages.", final: true });
  assert.equal(leg.state, "lost");
  assert.equal(leg.why, "Too many pages.");
});

test("closing says good-bye once and drops the tracks", async () => {
  const { leg, peers, sent } = setUp();
  await leg.open(true);
  peers[0].ontrack({ track: { kind: "audio" } });
  leg.close();
  leg.close();
  assert.deepEqual(sent.filter((content) => content.type === "bye"), [{ type: "bye", page: "page-1" }]);
  assert.equal(leg.stream.getTracks().length, 0);
  assert.ok(peers[0].closed);
  await leg.open(true);
  assert.equal(peers.length, 2, "it opens again");
  leg.close();
});

test("an answer that cannot be used is a loss, not an error", async () => {
  const { leg } = setUp();
  await leg.open(true);
  await leg.receive({ type: "answer", page: "page-1", sdp: "bad" });
  assert.equal(leg.state, "waiting");
  leg.close();
});

test("a browser without WebRTC says so and does not try again", async () => {
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
