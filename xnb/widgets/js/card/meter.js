// @ts-check
import { peakOf, Wave } from "./wave.js";

/** Enough for a card on the full screen. */
const COLUMNS = 480;
const STATS_EVERY_MS = 100;

/** Listens to a stream and keeps its last seconds as peaks. */
export class Meter {
  /** @param {() => Promise<number|null>} fallback the level when this page may not listen yet */
  constructor(fallback) {
    this.fallback = fallback;
    this.wave = new Wave(COLUMNS);
    /** @type {AudioContext|null} */
    this.context = null;
    /** @type {AnalyserNode|null} */
    this.analyser = null;
    /** @type {MediaStreamAudioSourceNode|null} */
    this.source = null;
    /** @type {MediaStreamTrack|null} */
    this.track = null;
    this.samples = new Float32Array(2048);
    this.level = 0;
    this.asked = 0;
  }

  /** @param {MediaStream} stream */
  listen(stream) {
    const track = stream.getAudioTracks()[0] ?? null;
    if (track === this.track) return;
    this.source?.disconnect();
    this.source = null;
    this.track = track;
    if (!track) return;
    this.context ??= new AudioContext();
    this.analyser ??= new AnalyserNode(this.context, { fftSize: 2048 });
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(this.analyser);
  }

  /** A gesture happened: the page may listen now. */
  wake() {
    if (this.context?.state === "suspended") this.context.resume().catch(() => {});
  }

  /** Takes one column. */
  sample() {
    if (this.track && this.analyser && this.context?.state === "running") {
      this.analyser.getFloatTimeDomainData(this.samples);
      this.level = peakOf(this.samples);
    } else if (this.track) {
      this.#ask();
    } else {
      this.level = 0;
    }
    this.wave.push(this.level);
  }

  #ask() {
    const now = performance.now();
    if (now - this.asked < STATS_EVERY_MS) return;
    this.asked = now;
    this.fallback().then(
      (level) => (this.level = level ?? 0),
      () => (this.level = 0),
    );
  }

  close() {
    this.source?.disconnect();
    this.source = this.track = null;
    this.context?.close().catch(() => {});
    this.context = this.analyser = null;
  }
}
