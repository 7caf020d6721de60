// @ts-check
import { Canceled, Wire } from "./wire.js";
import { RECORDING as S, filled } from "../shared/strings.js";
import { size } from "./math.js";

/** @typedef {{low: Int8Array, high: Int8Array}} Wave */
/** @typedef {{rows: number, columns: number, highest_hz: number, levels: Uint8Array,
 *   colours: Uint8Array}} Spectrum */
/** @typedef {{changed(): void}} Watcher */

const TICK_MS = 1000;

/** What one model has of a recording in one page: its file, its looks, what is going on. */
export class Store {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.wire = new Wire(model, { silent: () => this.#changed() });
    /** @type {Set<Watcher>} */
    this.watchers = new Set();
    /** @type {Map<number, Promise<Blob>>} files by form */
    this.files = new Map();
    /** @type {string} where the element finds what it plays */
    this.address = "";
    this.form = this.#firstForm();
    /** @type {Promise<void>|null} */
    this.loading = null;
    this.note = "";
    /** How far the sound was read for what is drawn of it. */
    this.looking = "";
    /** @type {{share: number, stop: AbortController}|null} */
    this.saving = null;
    /** @type {Promise<string>|null} */
    this.poster = null;
    /** @type {Promise<Spectrum>|null} */
    this.spectrum = null;
    this.onMessage = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) =>
      this.wire.receive(content, buffers);
    model.on("msg:custom", this.onMessage);
    this.ticker = setInterval(() => this.wire.tick(), TICK_MS);
  }

  /** @param {string} name of a trait */
  value(name) {
    return this.model.get(name);
  }

  /** @returns {number} seconds */
  get duration() {
    return Number(this.model.get("duration_s")) || 0;
  }

  /** @returns {string} what is going on, in words */
  get words() {
    return this.wire.silent ? S.silent : this.note || this.looking;
  }

  #changed() {
    for (const watcher of this.watchers) watcher.changed();
  }

  /** @param {string} note */
  say(note) {
    if (note === this.note) return;
    this.note = note;
    this.#changed();
  }

  // The file

  /** @returns {number} the first form that this browser says it plays, or the last one */
  #firstForm() {
    /** @type {string[]} */
    const mimes = this.model.get("mimes") ?? [];
    const probe = document.createElement("video");
    const found = mimes.findIndex((mime) => probe.canPlayType(mime) !== "");
    return found < 0 ? Math.max(0, mimes.length - 1) : found;
  }

  /** Brings what is to be played into the page, once; says how far it is. */
  load() {
    this.loading ??= this.#load().catch((error) => {
      this.loading = null;
      if (!(error instanceof Canceled)) this.say(error.message === "lost" ? S.lost : error.message);
    });
    return this.loading;
  }

  async #load() {
    const blob = await this.#file(this.form);
    this.address = URL.createObjectURL(blob);
    this.say("");
    this.#changed();
  }

  /** The element cannot play it: what comes next? */
  refused() {
    if (this.form + 1 >= (this.model.get("mimes") ?? []).length) {
      this.say(S.unplayable);
      return;
    }
    this.form += 1;
    URL.revokeObjectURL(this.address);
    this.address = "";
    this.loading = null;
    this.load();
  }

  /**
   * @param {number} form
   * @returns {Promise<Blob>}
   */
  #file(form) {
    const known = this.files.get(form);
    if (known) return known;
    const file = this.#bring(form);
    this.files.set(form, file);
    file.catch(() => this.files.delete(form));
    return file;
  }

  /** @param {number} form */
  async #bring(form) {
    if (form > 0) this.say(S.preparing);
    const { content } = await this.wire.ask("form", { form }, {
      progress: (share) => this.say(filled(S.preparingShare, Math.round(100 * share))),
    });
    const parts = await this.wire.read({ ...content, form }, (loaded) =>
      this.say(filled(S.loading, size(loaded), size(content.size_bytes))),
    );
    const type = String(this.model.get("mimes")[form] ?? "").split(";")[0];
    return new Blob(parts, { type });
  }

  /** Saves the file itself, as the browser saves what is downloaded. */
  async download() {
    try {
      const address = URL.createObjectURL(await this.#file(0));
      this.say("");
      const link = document.createElement("a");
      link.href = address;
      link.download = this.model.get("name");
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    if (error instanceof Canceled) return;
    const message = error instanceof Error ? error.message : String(error);
    this.say(message === "lost" ? S.lost : message);
  }

  // Its looks

  /**
   * @param {string} type
   * @param {object} content
   */
  async #look(type, content) {
    try {
      return await this.wire.ask(type, content, {
        progress: (share) => {
          this.looking = filled(S.reading, Math.round(100 * share));
          this.#changed();
        },
      });
    } finally {
      this.looking = "";
      this.#changed();
    }
  }

  /**
   * @param {number} from seconds
   * @param {number} to seconds
   * @param {number} columns
   * @returns {Promise<Wave>}
   */
  async wave(from, to, columns) {
    const { buffers } = await this.#look("wave", { from_s: from, to_s: to, columns });
    const [low, high] = buffers.map(
      (one) => new Int8Array(one.buffer, one.byteOffset, one.byteLength).slice(),
    );
    return { low, high };
  }

  /** @returns {Promise<Spectrum>} */
  readSpectrum() {
    this.spectrum ??= this.#look("spectrum", {}).then(({ content, buffers }) => {
      const [levels, colours] = buffers.map(
        (one) => new Uint8Array(one.buffer, one.byteOffset, one.byteLength).slice(),
      );
      return { ...content, levels, colours };
    });
    return this.spectrum;
  }

  /** @returns {Promise<string>} address of the first picture */
  readPoster() {
    this.poster ??= this.wire.ask("poster").then(({ buffers }) =>
      URL.createObjectURL(
        new Blob([/** @type {BlobPart} */ (buffers[0])], { type: "image/jpeg" }),
      ),
    );
    return this.poster;
  }

  // Parts

  /** @param {import("./math.js").Span} part */
  async save(part) {
    if (this.saving) return;
    const stop = new AbortController();
    this.saving = { share: 0, stop };
    this.say(filled(S.saving, 0));
    try {
      const { content } = await this.wire.ask(
        "trim", { start_s: part.from, end_s: part.to },
        {
          signal: stop.signal,
          progress: (share) => this.say(filled(S.saving, Math.round(100 * share))),
        },
      );
      this.say(filled(S.saved, content.path, content.words));
    } catch (error) {
      if (error instanceof Canceled) this.say(S.canceled);
      else this.#failed(error);
    } finally {
      this.saving = null;
      this.#changed();
    }
  }

  close() {
    clearInterval(this.ticker);
    this.model.off("msg:custom", this.onMessage);
    this.wire.close();
    if (this.address) URL.revokeObjectURL(this.address);
    this.poster?.then((address) => URL.revokeObjectURL(address), () => {});
  }
}
