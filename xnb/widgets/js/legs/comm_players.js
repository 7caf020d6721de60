// @ts-check
import { JitterBuffer } from "./jitter.js";

const SOURCE_HZ = 48_000;
const REPORT_MS = 50;
/** A report older than this says nothing about now. */
const STALE_MS = 400;
const QUEUED = 25;
const NODE_TARGET_S = 0.12;
const NODE_MOST_S = 0.6;

/**
 * @typedef {{add: (channels: Float32Array[], time: number) => void, heard: () => number|null,
 *   level: number, underruns: number, close: () => void}} Player `heard` gives the capture time,
 *   in milliseconds, of what is heard now; null while it is silent
 */

/** What the worklet runs; `Buffer` is put in by its text. @returns {string} */
function workletText() {
  return `const Buffer = ${JitterBuffer.toString()};
registerProcessor("xnb-player", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new Buffer(${SOURCE_HZ}, sampleRate);
    this.blocks = 0;
    this.peak = 0;
    this.open = true;
    this.port.onmessage = ({ data }) => {
      if (data) this.buffer.add(data.channels, data.time);
      else this.open = false;
    };
  }
  process(_inputs, [outputs]) {
    const { buffer } = this;
    buffer.read(outputs);
    for (const value of outputs[0]) this.peak = Math.max(this.peak, Math.abs(value));
    if (++this.blocks * 128 >= sampleRate * ${REPORT_MS / 1000}) {
      const { time, underruns, skips, filled } = buffer;
      const wait = buffer.waiting / buffer.perMs;
      const at = currentTime + 128 / sampleRate;
      this.port.postMessage({ time, at, underruns, skips, filled, wait, level: this.peak });
      this.blocks = this.peak = 0;
    }
    return this.open;
  }
});`;
}

/**
 * Plays in an AudioWorklet: on the audio thread, whatever the page is busy with.
 *
 * @implements {Player}
 */
export class WorkletPlayer {
  /**
   * @param {AudioContext} context
   * @param {AudioNode} target
   * @returns {Promise<WorkletPlayer>} rejected where there is no AudioWorklet
   */
  static async make(context, target) {
    const url = URL.createObjectURL(new Blob([workletText()], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(url);
    } finally {
      URL.revokeObjectURL(url);
    }
    return new WorkletPlayer(context, target);
  }

  /**
   * @param {AudioContext} context
   * @param {AudioNode} target
   */
  constructor(context, target) {
    this.context = context;
    this.node = new AudioWorkletNode(context, "xnb-player", {
      numberOfInputs: 0, outputChannelCount: [2],
    });
    /** @type {{time: number|null, at: number, wait: number}} */
    this.report = { time: null, at: 0, wait: 0 };
    this.level = 0;
    this.underruns = 0;
    this.skips = 0;
    this.filled = 0;
    this.node.port.onmessage = ({ data }) => {
      this.report = data;
      ({ level: this.level, underruns: this.underruns } = data);
      ({ skips: this.skips, filled: this.filled } = data);
    };
    this.node.connect(target);
  }

  /** @param {Float32Array[]} channels @param {number} time */
  add(channels, time) {
    this.node.port.postMessage(
      { channels, time },
      channels.map((one) => one.buffer),
    );
  }

  heard() {
    const { time, at } = this.report;
    const since = 1000 * (this.context.currentTime - at);
    return time === null || since > STALE_MS ? null : time + since;
  }

  close() {
    this.node.port.onmessage = null;
    this.node.port.postMessage(null);
    this.node.disconnect();
  }
}

/**
 * Plays piece behind piece with AudioBufferSourceNodes: also where there is no AudioWorklet.
 *
 * @implements {Player}
 */
export class NodePlayer {
  /**
   * @param {AudioContext} context
   * @param {AudioNode} target
   */
  constructor(context, target) {
    this.context = context;
    this.analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.analyser.connect(target);
    this.samples = new Float32Array(1024);
    /** When the next piece begins, in seconds of the context. */
    this.next = 0;
    /** @type {number|null} capture time of the end of the last piece */
    this.end = null;
    this.underruns = 0;
    this.skips = 0;
    /** @type {{time: number, at: number, until: number}[]} */
    this.planned = [];
  }

  /** @param {Float32Array[]} channels @param {number} time */
  add(channels, time) {
    const now = this.context.currentTime;
    if (this.context.state !== "running") return;
    const seconds = channels[0].length / SOURCE_HZ;
    if (this.next < now) {
      // The end of a pause is none of our making.
      if (this.end !== null && time - this.end < 60) this.underruns += 1;
      this.next = now + NODE_TARGET_S;
    } else if (this.next > now + NODE_MOST_S) {
      this.skips += 1;
      return;
    }
    const buffer = this.context.createBuffer(channels.length, channels[0].length, SOURCE_HZ);
    channels.forEach((one, c) => buffer.copyToChannel(/** @type {any} */ (one), c));
    const node = new AudioBufferSourceNode(this.context, { buffer });
    node.connect(this.analyser);
    node.start(this.next);
    this.planned.push({ time, at: this.next, until: this.next + seconds });
    while (this.planned.length > QUEUED) this.planned.shift();
    this.next += seconds;
    this.end = time + 1000 * seconds;
  }

  heard() {
    const now = this.context.currentTime;
    const piece = this.planned.find(({ at, until }) => at <= now && now < until);
    return piece ? piece.time + 1000 * (now - piece.at) : null;
  }

  get level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    return this.samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  }

  close() {
    this.analyser.disconnect();
  }
}
