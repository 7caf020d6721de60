// What somebody in a room sends and gets, by libwebrtc: a picture of one colour and a tone.

import media from "../../bench/peer/media.js";

const { AudioSender, VideoSender, gathered, wrtc } = media;
const { RTCAudioSink, RTCVideoSink } = wrtc.nonstandard;

const WIDTH = 320;
const HEIGHT = 240;
const FPS = 15;
const RATE_HZ = 48000;
const LEVEL = 9000;
const LEAST_LEVEL = 500; // a quieter sound is silence
const HEARD_CHUNKS = 30; // of 10 ms: what a tone is measured in

/** A second of pictures of one colour, [Y, U, V], with a corner that changes. */
function clip(colour) {
    const luma = WIDTH * HEIGHT;
    const pictures = Array.from({ length: FPS }, (_, number) => {
        const data = new Uint8ClampedArray(luma * 1.5);
        data.fill(colour[0], 0, luma);
        data.fill(colour[1], luma, luma * 1.25);
        data.fill(colour[2], luma * 1.25);
        for (let y = 0; y < HEIGHT / 8; y++) {
            data.fill(16 + number * 14, y * WIDTH, y * WIDTH + WIDTH / 8);
        }
        return data;
    });
    return { width: WIDTH, height: HEIGHT, fps: FPS, pictures };
}

/** A second of a tone of whole hertz, which can be repeated without a step. */
function tone(hz) {
    return Int16Array.from(
        { length: RATE_HZ },
        (_, i) => LEVEL * Math.sin((2 * Math.PI * hz * i) / RATE_HZ),
    );
}

/** A candidate as Janus takes it. */
function plain({ candidate, sdpMid, sdpMLineIndex }) {
    return { candidate, sdpMid, sdpMLineIndex };
}

/** A connection on which a colour and a tone are sent. */
export class Sending {
    constructor(colour, toneHz) {
        this.pc = new wrtc.RTCPeerConnection({ iceServers: [] });
        this.senders = [new AudioSender(tone(toneHz), []), new VideoSender(clip(colour))];
        const stream = new wrtc.MediaStream();
        for (const { track } of this.senders) this.pc.addTrack(track, stream);
    }

    /** An offer; candidates go to `onCandidate` one by one as they are found, at the end null. */
    async offer(onCandidate, { iceRestart = false } = {}) {
        this.pc.onicecandidate = ({ candidate }) => {
            onCandidate(candidate?.candidate ? plain(candidate) : null);
        };
        await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart }));
        return { type: "offer", sdp: this.pc.localDescription.sdp };
    }

    /** Send, from the answer to the first offer on. */
    async take(answer) {
        await this.pc.setRemoteDescription(answer);
        for (const sender of this.senders.splice(0)) sender.start();
    }
}

/** The last picture of a track. */
class Picture {
    constructor(track) {
        this.count = 0;
        this.colour = null;
        this.sink = new RTCVideoSink(track);
        this.sink.onframe = ({ frame }) => this.take(frame);
    }

    take({ width, height, data }) {
        const mean = (start, stride, rows) => {
            const from = start + Math.floor(rows / 2) * stride;
            const row = data.subarray(from, from + stride);
            return Math.round(row.reduce((sum, value) => sum + value, 0) / stride);
        };
        const luma = width * height;
        this.colour = [
            mean(0, width, height),
            mean(luma, width / 2, height / 2),
            mean(luma * 1.25, width / 2, height / 2),
        ];
        this.count += 1;
    }

    /** Nothing of what was seen until now counts. */
    forget() {
        this.colour = null;
    }
}

/** The last 0.3 s of the sound of a track. */
class Sound {
    constructor(track) {
        this.forget();
        this.sink = new RTCAudioSink(track);
        this.sink.ondata = (data) => this.take(data);
    }

    take({ samples, sampleRate, channelCount, numberOfFrames }) {
        const mono = Array.from({ length: numberOfFrames }, (_, i) => samples[i * channelCount]);
        this.chunks.push(mono);
        if (this.chunks.length > HEARD_CHUNKS) this.chunks.shift();
        this.rateHz = sampleRate;
    }

    /** Nothing of what was heard until now counts. */
    forget() {
        this.chunks = [];
    }

    /** Its frequency by where it crosses zero; 0 if it is silent, null if it is too short. */
    get hz() {
        if (this.chunks.length < HEARD_CHUNKS) return null;
        const all = this.chunks.flat();
        if (Math.max(...all) < LEAST_LEVEL) return 0;
        const crossings = [];
        for (let i = 1; i < all.length; i++) {
            if (all[i - 1] < 0 && all[i] >= 0) {
                crossings.push(i - all[i] / (all[i] - all[i - 1]));
            }
        }
        if (crossings.length < 2) return 0;
        const periods = crossings.length - 1;
        return Math.round((periods * this.rateHz) / (crossings.at(-1) - crossings[0]));
    }
}

/** A connection on which others' pictures and sounds arrive: `lines` has them by mid. */
export class Receiving {
    constructor() {
        this.lines = new Map();
        this.pc = new wrtc.RTCPeerConnection({ iceServers: [] });
        this.pc.ontrack = ({ track, transceiver }) => {
            this.lines.get(transceiver.mid)?.sink.stop();
            const line = track.kind === "video" ? new Picture(track) : new Sound(track);
            this.lines.set(transceiver.mid, line);
        };
    }

    /** Answers an offer; gives the answer, and all candidates that were found for it. */
    async answer(offer) {
        const found = [];
        this.pc.onicecandidate = ({ candidate }) => {
            if (candidate?.candidate) found.push(plain(candidate));
        };
        await this.pc.setRemoteDescription(offer);
        const { sdp } = await this.pc.createAnswer();
        await this.pc.setLocalDescription({ type: "answer", sdp });
        await gathered(this.pc);
        return [{ type: "answer", sdp }, found];
    }
}
