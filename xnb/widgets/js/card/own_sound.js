// @ts-check
import { Meter } from "./meter.js";

const STALE_MS = 600;

/** How loud we are: measured here when this page's microphone is sent, else as Python tells it. */
export class OwnSound {
  constructor() {
    this.told = 0;
    this.toldAt = -Infinity;
    this.meter = new Meter(async () => null);
  }

  /** @param {number} peak of what Python sends, 0 to 1 */
  tell(peak) {
    this.told = Math.min(1, Math.max(0, Number(peak) || 0));
    this.toldAt = performance.now();
  }

  /** @param {MediaStream|null} stream what this page captures */
  listen(stream) {
    if (stream?.getAudioTracks().length) this.meter.listen(stream);
    else if (this.meter.track) this.meter.close();
  }

  /**
   * @param {boolean} muted
   * @returns {number} 0 to 1
   */
  sample(muted) {
    if (muted) return 0;
    if (this.meter.track) {
      this.meter.wake();
      this.meter.sample();
      return this.meter.level;
    }
    return performance.now() - this.toldAt < STALE_MS ? this.told : 0;
  }

  close() {
    this.meter.close();
  }
}
