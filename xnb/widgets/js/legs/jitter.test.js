import assert from "node:assert/strict";
import { test } from "node:test";
import { pack, unpack } from "./comm_wire.js";
import { JitterBuffer } from "./jitter.js";
import { Timeline } from "../card/timeline.js";

const HZ = 48_000;

/** 20 ms of a tone, phase going on. */
function tone(index, frequency = 440) {
  const samples = new Float32Array(960);
  for (let i = 0; i < 960; i++) {
    samples[i] = 0.5 * Math.sin((2 * Math.PI * frequency * (index * 960 + i)) / HZ);
  }
  return [samples];
}

/** Plays `ms` through a buffer, adding what `arrivals(now)` says before each block of 128. */
function play(buffer, ms, arrivals, outputHz = HZ) {
  const blocks = Math.round((ms / 1000) * (outputHz / 128));
  const sound = [];
  for (let i = 0; i < blocks; i++) {
    for (const [piece, time] of arrivals((1000 * i * 128) / outputHz)) buffer.add(piece, time);
    const outputs = [new Float32Array(128), new Float32Array(128)];
    buffer.read(outputs);
    sound.push(...outputs[0]);
  }
  return sound;
}

/** Pieces of 20 ms that arrive on time plus `late(index)` milliseconds. */
function arriving(late = () => 0, frequency = 440) {
  let next = 0;
  return (now) => {
    const due = [];
    while (next * 20 + late(next) <= now) {
      due.push([tone(next, frequency), 20 * next]);
      next += 1;
    }
    return due;
  };
}

function frequencyOf(sound, hz = HZ) {
  let crossings = 0;
  for (let i = 1; i < sound.length; i++) if (sound[i - 1] < 0 && sound[i] >= 0) crossings += 1;
  return (crossings * hz) / sound.length;
}

function largestStep(sound) {
  let most = 0;
  for (let i = 1; i < sound.length; i++) most = Math.max(most, Math.abs(sound[i] - sound[i - 1]));
  return most;
}

test("sound that comes evenly is played as it is, after 80 ms", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  const sound = play(buffer, 2000, arriving());
  assert.equal(buffer.underruns, 0);
  const begin = sound.findIndex((value) => value !== 0);
  assert.ok(begin >= 60 * 48 && begin <= 90 * 48, `began at ${begin / 48} ms`);
  const heard = sound.slice(begin + 500);
  assert.ok(Math.abs(frequencyOf(heard) - 440) < 2);
  assert.ok(largestStep(heard) < 0.03, "no click");
  assert.ok(Math.abs(buffer.time - (2000 - 80)) < 25, `at ${buffer.time}`);
});

test("pieces that come late, up to the target, leave no gap", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  const sound = play(buffer, 10_000, arriving((i) => (i * 37) % 55));
  assert.equal(buffer.underruns, 0);
  assert.ok(largestStep(sound.slice(6000)) < 0.04, `a click of ${largestStep(sound.slice(6000))}`);
});

test("a buffer that runs dry counts it once, fades, and holds more from then on", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  const target = buffer.target;
  const sound = play(buffer, 4000, arriving((i) => (i === 50 ? 180 : i > 50 && i < 58 ? 180 : 0)));
  assert.equal(buffer.underruns, 1);
  assert.ok(buffer.target > target);
  assert.ok(largestStep(sound) < 0.05, `a click of ${largestStep(sound)}`);
});

test("a far end that pauses makes no underrun", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  const target = buffer.target;
  let sent = 0;
  play(buffer, 4000, (now) => {
    const due = [];
    while (sent * 20 <= now) {
      const isPause = sent * 20 >= 1000 && sent * 20 < 2500;
      if (!isPause) due.push([tone(sent), 20 * sent]);
      sent += 1;
    }
    return due;
  });
  assert.equal(buffer.underruns, 0);
  assert.equal(buffer.target, target);
  assert.ok(buffer.playing);
});

test("a lost piece is filled, so that time goes on", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  const even = arriving();
  play(buffer, 3000, (now) => even(now).filter(([, time]) => time % 500 !== 480));
  assert.equal(buffer.underruns, 0);
  assert.ok(buffer.filled >= 5);
  assert.ok(Math.abs(buffer.time - 2920) < 45, `at ${buffer.time}`);
});

test("a burst after a standstill is skipped rather than played late", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  const late = (i) => (i >= 50 && i < 150 ? 20 * (150 - i) : 0);
  play(buffer, 5000, arriving(late));
  assert.ok(buffer.waiting < 200 * 48, `${buffer.waiting / 48} ms wait`);
  assert.ok(buffer.time > 4750);
});

test("two clocks that differ by 0.2 % never run dry and never pile up", () => {
  for (const factor of [0.998, 1.002]) {
    const buffer = new JitterBuffer(HZ, HZ);
    const even = arriving();
    play(buffer, 60_000, (now) => even(now * factor));
    assert.equal(buffer.underruns, 0, `at ${factor}`);
    assert.equal(buffer.skips, 0, `at ${factor}`);
    assert.ok(buffer.waiting < 160 * 48);
  }
});

test("a sound card of 44.1 kHz hears the same tone", () => {
  const buffer = new JitterBuffer(HZ, 44_100);
  const sound = play(buffer, 3000, arriving(() => 0, 1000), 44_100).slice(8000);
  assert.equal(buffer.underruns, 0);
  assert.ok(Math.abs(frequencyOf(sound, 44_100) - 1000) < 3);
  assert.ok(largestStep(sound) < 0.08);
});

test("stereo stays stereo", () => {
  const buffer = new JitterBuffer(HZ, HZ);
  for (let i = 0; i < 10; i++) {
    buffer.add([new Float32Array(960).fill(0.25), new Float32Array(960).fill(-0.5)], 20 * i);
  }
  const outputs = [new Float32Array(960), new Float32Array(960)];
  buffer.read(outputs);
  assert.deepEqual([outputs[0][900], outputs[1][900]], [0.25, -0.5]);
});

test("the class works from its text alone, as in a worklet", () => {
  const Copy = new Function(`return ${JitterBuffer.toString()}`)();
  const buffer = new Copy(HZ, HZ);
  const sound = play(buffer, 1000, arriving());
  assert.equal(buffer.underruns, 0);
  assert.ok(Math.max(...sound) > 0.45);
});

test("frames survive their way through a buffer, and a cut one ends it", () => {
  const frames = [
    { codec: "opus", isKey: true, time: 12.5, data: new Uint8Array([1, 2, 3]) },
    { codec: "vp8", isKey: false, time: 1e7 + 0.25, data: new Uint8Array(1000).fill(7) },
  ];
  const buffer = pack(frames);
  assert.deepEqual(unpack(buffer), frames);
  const shifted = new Uint8Array(buffer.byteLength + 3);
  shifted.set(new Uint8Array(buffer), 3);
  assert.deepEqual(unpack(new DataView(shifted.buffer, 3)), frames);
  assert.equal(unpack(buffer.slice(0, 500)).length, 1);
  assert.deepEqual(unpack(new ArrayBuffer(5)), []);
  assert.throws(() => pack([{ ...frames[0], codec: "mp3" }]), /no codec/);
});

test("camera and microphone are put on one clock by what came promptest", () => {
  const line = new Timeline();
  const times = [];
  for (let i = 0; i < 100; i++) {
    const delay = i % 10 === 3 ? 2 : 2 + ((i * 7) % 30);
    times.push(line.time(5000 + 33 * i, 100 + 33 * i + delay));
  }
  assert.ok(times.every((time, i) => i === 0 || time > times[i - 1]));
  assert.ok(Math.abs(times[99] - (100 + 33 * 99 + 2)) < 0.5);
  assert.ok(Math.abs(line.time(0, 9000) - 9000) < 1, "a clock that begins anew");
});
