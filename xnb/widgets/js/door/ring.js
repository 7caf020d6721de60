// @ts-check

const EVERY_MS = 3000;
const NOTES_HZ = [659.3, 523.3];
const LOUDNESS = 0.06;

/** A soft two-note ring, made here; silent when the page may not play sound yet. */
export class Ring {
  /**
   * @param {() => void} changed is called when `blocked` may be another
   * @param {() => AudioContext} [makeContext]
   */
  constructor(changed, makeContext = () => new AudioContext()) {
    this.changed = changed;
    this.makeContext = makeContext;
    /** @type {AudioContext|null} */
    this.context = null;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.timer = undefined;
    this.silenced = false;
    this.struck = 0;
  }

  get on() {
    return this.timer !== undefined;
  }

  /** Whether it should be heard but the browser waits for a click in the page. */
  get blocked() {
    return this.on && !this.silenced && this.context?.state === "suspended";
  }

  /** @param {boolean} on */
  set(on) {
    if (on === this.on) return;
    if (on) {
      this.silenced = false;
      if (!this.context) {
        this.context = this.makeContext();
        this.context.onstatechange = () => {
          if (this.on && this.struck === 0) this.#strike();
          this.changed();
        };
      }
      this.struck = 0;
      this.timer = setInterval(() => this.#strike(), EVERY_MS);
      this.#strike();
    } else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  /** @param {boolean} silenced until it rings for the next call */
  silence(silenced) {
    this.silenced = silenced;
    this.changed();
  }

  /** A gesture: the page may play sound now. */
  wake() {
    if (this.context?.state === "suspended") this.context.resume().catch(() => {});
  }

  #strike() {
    const { context } = this;
    if (this.silenced || !context) return;
    if (context.state !== "running") {
      this.wake();
      return;
    }
    this.struck += 1;
    NOTES_HZ.forEach((frequency, index) => {
      const start = context.currentTime + index * 0.28;
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = frequency;
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
