// @ts-check

/**
 * Sound on its way to the loudspeaker: takes pieces as they come and gives them out evenly.
 *
 * It also runs inside an AudioWorklet, which gets the text of this class: so it refers to nothing
 * outside of itself. Times are milliseconds, amounts are samples at the source's rate.
 *
 * Playing begins once as much waits as the target says. The target grows when the buffer runs dry
 * while sound goes on, and shrinks slowly while it never comes near that; small differences are
 * evened out by playing up to half a percent faster or slower, a large surplus is skipped, a short
 * hole is filled with what came before it.
 */
export class JitterBuffer {
  /**
   * @param {number} sourceHz sample rate of what is added
   * @param {number} outputHz sample rate of what is read
   * @param {{start?: number, least?: number, most?: number}} [targets] in milliseconds
   */
  constructor(sourceHz, outputHz, { start = 80, least = 50, most = 400 } = {}) {
    this.sourceHz = sourceHz;
    this.ratio = sourceHz / outputHz;
    this.perMs = sourceHz / 1000;
    this.target = start * this.perMs;
    this.least = least * this.perMs;
    this.most = most * this.perMs;
    this.surplus = 250 * this.perMs;
    /** @type {{channels: Float32Array[], time: number, isJoint: boolean}[]} */
    this.pieces = [];
    /** The piece that is read. @type {object|null} */
    this.current = null;
    /** Samples in the pieces, those before the position too. */
    this.level = 0;
    /** Where in the first piece the next sample is, with a fraction. */
    this.position = 0;
    this.playing = false;
    this.underruns = 0;
    this.skips = 0;
    this.filled = 0;
    /** Ran dry; whether that was an underrun or a pause is known when sound comes again. */
    this.dry = false;
    /** Capture time of the end of what was added. @type {number|null} */
    this.end = null;
    /** The least that waited: in this second, and in these ten. */
    this.low = Infinity;
    this.lowest = Infinity;
    this.sinceLooked = 0;
    this.sinceLearned = 0;
    this.last = [0, 0];
    /** Whether the next sample does not follow on the last one: the step is then faded out. */
    this.isJoint = true;
    this.step = [0, 0];
  }

  /** @returns {number} samples that wait */
  get waiting() {
    return this.level - this.position;
  }

  /** @returns {number|null} capture time of the sample that is read next; null while silent */
  get time() {
    const first = this.pieces[0];
    return this.playing && first ? first.time + this.position / this.perMs : null;
  }

  /** @returns {number} how fast to play: 1 is as it was captured */
  get speed() {
    const off = (this.waiting - this.target) / this.target;
    return Math.abs(off) < 0.4 ? 1 : 1 + 0.005 * Math.max(-1, Math.min(1, off));
  }

  /**
   * @param {Float32Array[]} channels one or two, of the same length
   * @param {number} time when the first sample was captured
   */
  add(channels, time) {
    const length = channels[0]?.length ?? 0;
    if (length === 0) return;
    const hole = this.end === null ? 0 : time - this.end;
    if (this.dry) {
      this.dry = false;
      if (hole < 60) {
        this.underruns += 1;
        this.target = Math.min(this.most, this.target + 20 * this.perMs);
      }
    } else if (hole > 5 && hole < 120) {
      this.#fill(Math.round(hole * this.perMs));
    }
    this.pieces.push({ channels, time, isJoint: hole > 5 });
    this.level += length;
    this.end = time + length / this.perMs;
    if (this.waiting > (this.playing ? this.target : this.most) + this.surplus) {
      if (this.playing) this.skips += 1;
      this.isJoint = true;
      this.#advance(Math.round(this.waiting - this.target));
    }
  }

  /** What is missing sounds like what was before it, backwards and fading. @param {number} length */
  #fill(length) {
    const before = this.pieces[this.pieces.length - 1];
    if (!before || this.end === null) return;
    this.filled += 1;
    const channels = before.channels.map((samples) => {
      const filler = new Float32Array(length);
      for (let i = 0; i < length; i++) {
        filler[i] = (samples[samples.length - 1 - i] ?? 0) * (1 - i / length);
      }
      return filler;
    });
    this.pieces.push({ channels, time: this.end, isJoint: false });
    this.level += length;
  }

  /** @param {number} samples to leave out */
  #advance(samples) {
    this.position += samples;
    while (this.pieces.length > 0 && this.position >= this.pieces[0].channels[0].length) {
      const { length } = this.pieces[0].channels[0];
      this.position -= length;
      this.level -= length;
      this.pieces.shift();
    }
    if (this.pieces.length === 0) {
      this.position = 0;
      this.level = 0;
    }
  }

  /** @param {Float32Array[]} outputs all of them are filled, to the same length */
  read(outputs) {
    const { length } = outputs[0];
    if (!this.playing) {
      if (this.waiting < this.target) {
        this.#silence(outputs, 0);
        return;
      }
      this.playing = true;
      this.low = this.lowest = Infinity;
      this.sinceLooked = this.sinceLearned = 0;
    }
    const step = this.ratio * this.speed;
    const isExact = step === 1 && Number.isInteger(this.position);
    for (let i = 0; i < length; i++) {
      if (this.pieces.length > 0 && this.position >= this.pieces[0].channels[0].length) {
        this.#advance(0);
      }
      const first = this.pieces[0];
      if (!first) {
        this.dry = true;
        this.playing = false;
        this.#silence(outputs, i);
        return;
      }
      if (first !== this.current) {
        this.current = first;
        this.isJoint ||= first.isJoint;
      }
      for (let c = 0; c < outputs.length; c++) {
        const from = Math.min(c, first.channels.length - 1);
        const value = isExact ? first.channels[from][this.position] : this.#between(from);
        this.step[c] = this.isJoint ? this.last[c] - value : this.step[c] * 0.98;
        outputs[c][i] = this.last[c] = value + this.step[c];
      }
      this.isJoint = false;
      this.position += step;
    }
    this.#advance(0);
    this.#learn(length);
  }

  /** The value at the position, by cubic interpolation. @param {number} channel @returns {number} */
  #between(channel) {
    const samples = this.pieces[0].channels[channel];
    const after = this.pieces[1]?.channels;
    const next = after?.[Math.min(channel, after.length - 1)];
    const at = Math.floor(this.position);
    const part = this.position - at;
    const pick = (/** @type {number} */ i) => {
      if (i < samples.length) return samples[Math.max(0, i)];
      return next?.[i - samples.length] ?? samples[samples.length - 1];
    };
    const [a, b, c, d] = [pick(at - 1), pick(at), pick(at + 1), pick(at + 2)];
    const [bend, turn] = [2 * a - 5 * b + 4 * c - d, 3 * (b - c) + d - a];
    return b + 0.5 * part * (c - a + part * (bend + part * turn));
  }

  /** Fades to nothing from sample `from` on. @param {Float32Array[]} outputs @param {number} from */
  #silence(outputs, from) {
    outputs.forEach((output, c) => {
      for (let i = from; i < output.length; i++) {
        this.last[c] *= 0.97;
        output[i] = Math.abs(this.last[c]) < 1e-4 ? 0 : this.last[c];
      }
    });
    this.isJoint = true;
  }

  /**
   * Every second: what never was needed is skipped. Every ten: a buffer that was never low may be
   * shorter.
   *
   * @param {number} samples
   */
  #learn(samples) {
    this.low = Math.min(this.low, this.waiting);
    this.sinceLooked += samples * this.ratio;
    if (this.sinceLooked < this.sourceHz) return;
    this.lowest = Math.min(this.lowest, this.low);
    this.sinceLearned += this.sinceLooked;
    const surplus = this.low - this.target;
    this.low = Infinity;
    this.sinceLooked = 0;
    if (surplus > 60 * this.perMs) {
      this.skips += 1;
      this.isJoint = true;
      this.#advance(Math.round(surplus));
    }
    if (this.sinceLearned < 10 * this.sourceHz) return;
    if (this.lowest > 30 * this.perMs) {
      this.target = Math.max(this.least, this.target - 10 * this.perMs);
    }
    this.sinceLearned = 0;
    this.lowest = Infinity;
  }
}
