// @ts-check

const MOST_WAITING = 16;
/** A picture this much ahead of the sound has a clock of its own. */
const STRANGE_MS = 700;
/** A picture may be this early: half of what one is shown for. */
const EARLY_MS = 8;

/**
 * @typedef {{width: number, height: number, source: CanvasImageSource, close: () => void,
 *   time: number}} Picture `time` in milliseconds on the sender's clock
 */

/** Draws pictures at the time of the sound on a canvas outside of the page, as a video track. */
export class Screen {
  /** @param {() => number|null} heard the time of what is heard now; null without sound */
  constructor(heard) {
    this.heard = heard;
    this.canvas = document.createElement("canvas");
    this.context = /** @type {CanvasRenderingContext2D} */ (
      this.canvas.getContext("2d", { alpha: false, desynchronized: true })
    );
    /** @type {MediaStreamTrack|null} */
    this.track = null;
    /** @type {Picture[]} */
    this.waiting = [];
    this.drawn = 0;
    /** Left out because a later one was due too, and shown too early for want of room. */
    this.late = 0;
    this.early = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** @param {Picture} picture is closed when it was shown or cannot be */
  show(picture) {
    this.waiting.push(picture);
    if (this.waiting.length > MOST_WAITING) {
      this.early += 1;
      this.#paint(/** @type {Picture} */ (this.waiting.shift()));
    }
    this.#draw();
  }

  #draw() {
    clearTimeout(this.timer);
    const now = this.heard();
    let due = null;
    while (this.waiting.length > 0) {
      const ahead = now === null ? 0 : this.waiting[0].time - now;
      if (ahead > EARLY_MS && ahead < STRANGE_MS) {
        this.timer = setTimeout(() => this.#draw(), Math.min(100, ahead - EARLY_MS / 2));
        break;
      }
      if (due) {
        this.late += 1;
        due.close();
      }
      due = /** @type {Picture} */ (this.waiting.shift());
    }
    if (due) this.#paint(due);
  }

  /** @param {Picture} picture */
  #paint(picture) {
    const { canvas } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    this.context.drawImage(picture.source, 0, 0, canvas.width, canvas.height);
    this.drawn += 1;
    picture.close();
  }

  /** @returns {MediaStreamTrack} what the canvas shows */
  begin() {
    this.track ??= this.canvas.captureStream().getVideoTracks()[0];
    return this.track;
  }

  close() {
    clearTimeout(this.timer);
    for (const picture of this.waiting) picture.close();
    this.waiting = [];
    this.track?.stop();
    this.track = null;
  }
}
