import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, elapsed, hue, initial } from "./format.js";
import { KEYS, actionOf, movedFocus } from "./keys.js";
import { modeOf } from "./mode.js";
import { Optimistic } from "./optimistic.js";
import { stripHiddenCandidates } from "../legs/sdp.js";
import { fallingLevel, loudness, peakOf, Wave } from "./wave.js";

const key = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("candidates behind .local names are left out, others stay", () => {
  const sdp = [
    "v=0",
    "a=candidate:1 1 udp 2113937151 1f2e-aa.local 50000 typ host generation 0",
    "a=candidate:2 1 udp 2113937151 192.0.2.7 50001 typ host",
    "a=mid:local ",
    "",
  ].join("\r\n");
  assert.equal(
    stripHiddenCandidates(sdp),
    "v=0\r\na=candidate:2 1 udp 2113937151 192.0.2.7 50001 typ host\r\na=mid:local \r\n",
  );
});

test("times read like a clock", () => {
  assert.deepEqual([0, 42.9, 725, 3723, -3].map(clock), [
    "00:00", "00:42", "12:05", "1:02:03", "00:00",
  ]);
  assert.deepEqual([40, 9940, 12_400].map(elapsed), ["0.0 s", "9.9 s", "12 s"]);
});

test("an avatar has the first letter and a steady colour", () => {
  assert.deepEqual(["ann", "@bob", "ærø", "42", "--"].map(initial), ["A", "B", "Æ", "4", "?"]);
  assert.equal(hue("ann"), hue("ann"));
  assert.notEqual(hue("ann"), hue("bob"));
  assert.ok(hue("x".repeat(500)) < 360);
});

test("letters act, but not with a modifier and not while held down", () => {
  assert.deepEqual(["m", "V", "r", "H"].map((k) => actionOf(key(k))), [
    "mute", "camera", "record", "hangup",
  ]);
  assert.equal(actionOf(key("m", { ctrlKey: true })), null);
  assert.equal(actionOf(key("h", { repeat: true })), null);
  assert.equal(actionOf(key("x")), null);
  const keys = Object.values(KEYS);
  assert.equal(new Set(keys).size, keys.length, "no key means two things");
  for (const [action, one] of Object.entries(KEYS)) assert.equal(actionOf(key(one)), action);
});

test("arrows go round the toolbar", () => {
  assert.equal(movedFocus("ArrowRight", 3, 4), 0);
  assert.equal(movedFocus("ArrowLeft", 0, 4), 3);
  assert.equal(movedFocus("End", 0, 4), 3);
  assert.equal(movedFocus("Home", 2, 4), 0);
  assert.equal(movedFocus("a", 2, 4), null);
  assert.equal(movedFocus("ArrowRight", 0, 0), null);
});

test("a guess is shown until Python agrees, refuses or takes too long", () => {
  let now = 0;
  const guess = new Optimistic(() => now);
  guess.set("muted", true);
  assert.equal(guess.get("muted", false), true);
  assert.equal(guess.get("muted", true), true);
  assert.equal(guess.get("muted", false), false, "agreed once, then Python changed its mind");
  guess.set("muted", true);
  guess.drop("muted");
  assert.equal(guess.get("muted", false), false);
  guess.set("muted", true);
  now = 61_000;
  assert.equal(guess.get("muted", false), false);
});

test("the wave keeps the newest peaks in order and within 0 to 1", () => {
  const wave = new Wave(4);
  for (const peak of [0.1, 0.2, 0.3, 0.4, 1.5, -1]) wave.push(peak);
  const shown = [0, 1, 2, 3].map((i) => Math.round(wave.at(i) * 10) / 10);
  assert.deepEqual(shown, [0.3, 0.4, 1, 0]);
  assert.equal(wave.latest, 0);
  assert.equal(peakOf([0.1, -0.7, 0.3]), 0.7);
});

test("the meter is in decibels, rises at once and falls slowly", () => {
  assert.equal(loudness(0), 0);
  assert.equal(loudness(1), 1);
  assert.ok(Math.abs(loudness(0.1) - 2 / 3) < 1e-9, "-20 dBFS is two thirds up");
  assert.equal(loudness(0.0001), 0);
  assert.equal(fallingLevel(0.2, 0.9), 0.9);
  assert.ok(Math.abs(fallingLevel(0.9, 0.1) - 0.86) < 1e-9);
});

test("the stage shows what there is to show", () => {
  const facts = {
    alive: true, state: "connected", hasVideo: true, cameraOff: false, frames: 5,
    legState: "connected", failed: false,
  };
  assert.equal(modeOf(facts), "video");
  assert.equal(modeOf({ ...facts, frames: 0 }), "wait");
  assert.equal(modeOf({ ...facts, cameraOff: true }), "camera-off");
  assert.equal(modeOf({ ...facts, hasVideo: false }), "audio");
  assert.equal(modeOf({ ...facts, legState: "lost" }), "no-path");
  assert.equal(modeOf({ ...facts, state: "ringing" }), "steps");
  assert.equal(modeOf({ ...facts, state: "reconnecting" }), "video");
  assert.equal(modeOf({ ...facts, state: "ended" }), "ended");
  assert.equal(modeOf({ ...facts, alive: false }), "gone");
  assert.equal(modeOf({ ...facts, alive: false, state: "ended" }), "ended");
  assert.equal(modeOf({ ...facts, failed: true, state: "ended" }), "failed");
});
