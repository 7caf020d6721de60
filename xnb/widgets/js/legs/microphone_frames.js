// @ts-check
import { Timeline } from "../card/timeline.js";

const HZ = 48_000;
const PIECE = 960;
const BITRATE_BPS = 32_000;
const MODULE = `registerProcessor("xnb-microphone", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(${PIECE});
    this.at = 0;
    this.count = 0;
    this.open = true;
    this.port.onmessage = () => (this.open = false);
  }
  process([inputs]) {
    const samples = inputs[0];
    for (let i = 0; i < (samples?.length ?? 128); i++) {
      let value = samples ? samples[i] : 0;
      if (inputs.length > 1) value = (value + inputs[1][i]) / 2;
      this.piece[this.at++] = value;
      if (this.at === this.piece.length) {
        this.count += this.at;
        this.port.postMessage({ piece: this.piece.slice(), end: this.count });
        this.at = 0;
      }
    }
    return this.open;
  }
});`;

/** A microphone's sound as Opus packets of 20 ms. */
export class MicrophoneFrames {
  /**
   * @param {MediaStreamTrack} track
   * @param {(frame: import("./comm_wire.js").WireFrame) => void} give
   */
  constructor(track, give) {
    this.track = track;
    this.give = give;
    this.line = new Timeline();
    this.open = true;
    /** @type {AudioEncoder|null} */
    this.encoder = null;
    /** @type {AudioWorkletNode|null} */
    this.node = null;
    this.context = new AudioContext({ sampleRate: HZ });
    this.#begin().catch(() => {});
  }

  async #begin() {
    const url = URL.createObjectURL(new Blob([MODULE], { type: "text/javascript" }));
    try {
      await this.context.audioWorklet.addModule(url);
    } finally {
      URL.revokeObjectURL(url);
    }
    if (!this.open) return;
    this.encoder = new AudioEncoder({
      output: (chunk) => {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        if (this.open) this.give({ codec: "opus", isKey: true, time: chunk.timestamp / 1000, data });
      },
      error: () => (this.encoder = null),
    });
    this.encoder.configure({
      codec: "opus", sampleRate: HZ, numberOfChannels: 1, bitrate: BITRATE_BPS,
    });
    const source = this.context.createMediaStreamSource(new MediaStream([this.track]));
    this.node = new AudioWorkletNode(this.context, "xnb-microphone", { numberOfOutputs: 1 });
    this.node.port.onmessage = ({ data }) => this.#take(data.piece, data.end);
    source.connect(this.node).connect(this.context.destination); // it puts nothing out
    await this.context.resume();
  }

  /** @param {Float32Array} piece @param {number} end samples counted up to its end */
  #take(piece, end) {
    const time = this.line.time((1000 * end) / HZ, performance.now()) - (1000 * PIECE) / HZ;
    const sound = new AudioData({
      format: "f32", sampleRate: HZ, numberOfFrames: piece.length, numberOfChannels: 1,
      timestamp: Math.round(1000 * time), data: /** @type {BufferSource} */ (piece),
    });
    this.encoder?.encode(sound);
    sound.close();
  }

  close() {
    this.open = false;
    this.node?.port.postMessage(null);
    this.node?.disconnect();
    if (this.encoder && this.encoder.state !== "closed") this.encoder.close();
    this.encoder = null;
    this.context.close().catch(() => {});
  }
}
