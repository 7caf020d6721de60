// @ts-check
import { NodePlayer, WorkletPlayer } from "./comm_players.js";
import { LADDER } from "../shared/strings.js";

/** @typedef {import("./comm_wire.js").WireFrame} WireFrame */

const HELD_PIECES = 10;

/** Packets of sound, or plain samples, to a track that plays them. */
export class Sound {
  /** @param {(why: string) => void} broken called when this page cannot decode the sound */
  constructor(broken) {
    this.broken = broken;
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.target = this.context.createMediaStreamDestination();
    this.track = this.target.stream.getAudioTracks()[0];
    /** @type {(WorkletPlayer|NodePlayer)|null} */
    this.player = null;
    /** @type {[Float32Array[], number][]} that came before there was a player */
    this.held = [];
    /** @type {AudioDecoder|null} */
    this.decoder = null;
    this.errors = 0;
    this.open = true;
    this.wake = () => {
      if (this.context.state === "suspended") this.context.resume().catch(() => {});
    };
    // A context that began without a gesture waits for one, wherever it happens.
    for (const name of ["pointerdown", "keydown"]) {
      document.addEventListener(name, this.wake, { capture: true, passive: true });
    }
    this.#makePlayer();
  }

  async #makePlayer() {
    let player;
    try {
      player = await WorkletPlayer.make(this.context, this.target);
    } catch {
      // Not a secure context, or a policy that forbids it.
      player = new NodePlayer(this.context, this.target);
    }
    if (!this.open) {
      player.close();
      return;
    }
    this.player = player;
    for (const [channels, time] of this.held.splice(0)) player.add(channels, time);
  }

  /** @param {WireFrame} frame */
  take({ codec, time, data }) {
    if (codec === "pcm") {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const samples = new Float32Array(data.byteLength >> 1);
      for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
      this.#add([samples], time);
      return;
    }
    this.decoder ??= this.#makeDecoder();
    try {
      this.decoder?.decode(
        new EncodedAudioChunk({ type: "key", timestamp: Math.round(1000 * time), data }),
      );
    } catch {
      this.#failed();
    }
  }

  #makeDecoder() {
    const decoder = new AudioDecoder({
      output: (sound) => {
        const channels = [];
        for (let planeIndex = 0; planeIndex < Math.min(2, sound.numberOfChannels); planeIndex++) {
          const samples = new Float32Array(sound.numberOfFrames);
          sound.copyTo(samples, { planeIndex, format: "f32-planar" });
          channels.push(samples);
        }
        const time = sound.timestamp / 1000;
        sound.close();
        if (this.open) this.#add(channels, time);
      },
      error: () => this.#failed(),
    });
    decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2 });
    return decoder;
  }

  #failed() {
    this.decoder = null;
    this.errors += 1;
    if (this.open && this.errors === 3) this.broken(LADDER.noSoundDecoding);
  }

  /** @param {Float32Array[]} channels @param {number} time */
  #add(channels, time) {
    if (this.player) {
      this.player.add(channels, time);
    } else {
      this.held.push([channels, time]);
      if (this.held.length > HELD_PIECES) this.held.shift();
    }
  }

  /** @returns {number|null} capture time in milliseconds of what is heard now */
  heard() {
    return this.context.state === "running" ? (this.player?.heard() ?? null) : null;
  }

  get level() {
    return this.player?.level ?? 0;
  }

  get figures() {
    const { player } = this;
    return {
      player: player instanceof WorkletPlayer ? "worklet" : player ? "nodes" : "",
      underruns: player?.underruns ?? 0, skips: player?.skips ?? 0,
      wait: player instanceof WorkletPlayer ? player.report.wait : null,
    };
  }

  close() {
    this.open = false;
    for (const name of ["pointerdown", "keydown"]) {
      document.removeEventListener(name, this.wake, { capture: true });
    }
    this.player?.close();
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.track.stop();
    this.context.close().catch(() => {});
  }
}
