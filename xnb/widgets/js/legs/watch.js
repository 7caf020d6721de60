// @ts-check

const LEAST_SENT = 5;
const SILENT_BEATS = 3;
const LEAST_APART_MS = 250;

/**
 * Notices that a connection carries nothing any more in one direction, long before WebRTC itself
 * says so: the kernel tells over the comm, every 0.4 s, how many packets left and came. A kernel
 * that is busy tells nothing, a far end that is silent sends nothing, and then nothing is missed.
 */
export class Watch {
  constructor() {
    this.sent = 0;
    this.received = -1;
    this.at = -Infinity;
    this.silent = 0;
  }

  /**
   * @param {number} sent packets that left so far
   * @param {number} received packets that came so far
   * @param {number} now milliseconds
   * @returns {boolean} whether the connection is dead
   */
  beat(sent, received, now) {
    // Told late, several at once: they say nothing of the time between them.
    if (now - this.at < LEAST_APART_MS) return false;
    const since = sent - this.sent;
    if (received !== this.received) this.silent = 0;
    else if (since >= LEAST_SENT) this.silent += 1;
    this.sent = sent;
    this.received = received;
    this.at = now;
    return this.silent >= SILENT_BEATS;
  }
}
