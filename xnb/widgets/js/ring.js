// @ts-check

const EVERY_MS = 3000;
const NOTES_HZ = [659.3, 523.3];
const LOUDNESS = 0.06;

/** A soft two-note ring, made here; silent when the page may not play sound yet. */
export class Ring {
  constructor() {
    /** @type {AudioContext|null} */
    this.context = null;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.timer = undefined;
  }

  /** @param {boolean} on */
  set(on) {
    if (on === (this.timer !== undefined)) return;
    if (on) {
      this.context ??= new AudioContext();
      this.#strike();
      this.timer = setInterval(() => this.#strike(), EVERY_MS);
    } else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  #strike() {
    const context = this.context;
    if (context?.state !== "running") {
      context?.resume().catch(() => {});
      return;
    }
    NOTES_HZ.forEach((frequency, index) => {
      const start = context.currentTime + index * 0.28;
      const tone = new OscillatorNode(context, { frequency, type: "sine" });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.0005, start + 0.9);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + 1);
    });
  }

  close() {
    this.set(false);
    this.context?.close().catch(() => {});
    this.context = null;
  }
}
