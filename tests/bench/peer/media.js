// Pictures and sound that go into libwebrtc, and what is noted of those that come out.
// Every measure here has its twin in ../ours/media.py; keep the two the same.
"use strict";

const fs = require("node:fs");
const { performance } = require("node:perf_hooks");
const wrtc = require("@roamhq/wrtc");

const { RTCVideoSource, RTCAudioSource, RTCVideoSink, RTCAudioSink } = wrtc.nonstandard;

const RATE_HZ = 48000;
const CHUNK_SAMPLES = 480; // What RTCAudioSource takes at a time: 10 ms.
const CELL_PX = 16;
const COUNTER_BITS = 12;
const CLICK_LEVEL = 3000;
const CLICK_REST_S = 0.15;
const FREEZE_EXTRA_S = 0.15;

const nowS = () => performance.now() / 1000;
const sleep = (seconds) => new Promise((done) => setTimeout(done, Math.max(0, seconds * 1000)));

/** A loop of I420 pictures with their index in cells along the top; see media.py. */
class Clip {
    constructor({ path, width, height, fps }) {
        this.width = width;
        this.height = height;
        this.fps = fps;
        this.frameBytes = (width * height * 3) / 2;
        this.pictures = [];
        const file = fs.openSync(path);
        for (;;) {
            // A buffer for each: RTCVideoSource takes whole buffers only.
            const picture = new Uint8ClampedArray(this.frameBytes);
            if (fs.readSync(file, picture) < this.frameBytes) break;
            this.pictures.push(picture);
        }
        fs.closeSync(file);
    }
}

/** The index written in a picture's cells, or null when it cannot be read. */
function readCounter(luma, width, fullWidth) {
    const scale = width / fullWidth;
    const row = Math.floor((CELL_PX / 2) * scale) * width;
    let number = 0;
    for (let bit = 0; bit < COUNTER_BITS; bit++) {
        const one = luma[row + Math.floor((bit + 0.5) * CELL_PX * scale)];
        const other = luma[row + Math.floor((bit + COUNTER_BITS + 0.5) * CELL_PX * scale)];
        if (one > 125 === other > 125) return null;
        if (one > 125) number |= 1 << bit;
    }
    return number;
}

class VideoSender {
    constructor(clip) {
        this.clip = clip;
        this.source = new RTCVideoSource();
        this.track = this.source.createTrack();
        this.number = -1;
        this.skipped = 0;
        this.sentS = new Map();
    }

    start() {
        this.startS = nowS();
        this.tick();
    }

    tick() {
        const { clip } = this;
        let number = this.number + 1;
        const due = Math.floor((nowS() - this.startS) * clip.fps);
        if (due > number) {
            this.skipped += due - number;
            number = due;
        }
        this.number = number;
        this.sentS.set(number, nowS());
        this.sentS.delete(number - 300);
        const data = clip.pictures[number % clip.pictures.length];
        this.source.onFrame({ width: clip.width, height: clip.height, data });
        setTimeout(
            () => this.tick(),
            Math.max(0, (this.startS + (number + 1) / clip.fps - nowS()) * 1000),
        );
    }
}

class AudioSender {
    /** @param {Int16Array} loop mono samples, played over and over */
    constructor(loop, clicks) {
        this.source = new RTCAudioSource();
        this.track = this.source.createTrack();
        this.loop = loop;
        this.clicks = clicks; // sample positions in the loop
        this.number = -1;
        this.clickedS = [];
    }

    start() {
        this.startS = nowS();
        this.tick();
    }

    tick() {
        const step = CHUNK_SAMPLES / RATE_HZ;
        while (this.startS + (this.number + 1) * step <= nowS() + 0.0005) {
            this.number += 1;
            const first = (this.number * CHUNK_SAMPLES) % this.loop.length;
            const samples = this.loop.slice(first, first + CHUNK_SAMPLES);
            const captureS = nowS() - step; // when a microphone would have taken the first sample
            for (const click of this.clicks) {
                if (click >= first && click < first + CHUNK_SAMPLES) {
                    this.clickedS.push(captureS + (click - first) / RATE_HZ);
                }
            }
            this.source.onData({
                samples,
                sampleRate: RATE_HZ,
                bitsPerSample: 16,
                channelCount: 1,
                numberOfFrames: CHUNK_SAMPLES,
            });
        }
        setTimeout(
            () => this.tick(),
            Math.max(0, (this.startS + (this.number + 1) * step - nowS()) * 1000),
        );
    }
}

class VideoReceiver {
    constructor(track, sender) {
        this.sender = sender;
        this.psnr = false;
        this.reset();
        this.sink = new RTCVideoSink(track);
        this.sink.onframe = ({ frame }) => this.take(frame);
    }

    reset() {
        this.lastS = null;
        this.latenciesS = [];
        this.frozenS = 0;
        this.count = 0;
        this.unreadable = 0;
        this.backwards = 0;
        this.smaller = 0;
        this.lastNumber = -1;
        this.psnrs = [];
    }

    take(frame) {
        const atS = nowS();
        const { clip } = this.sender;
        const gapS = this.lastS === null ? 0 : atS - this.lastS;
        if (gapS > 1 / clip.fps + FREEZE_EXTRA_S) this.frozenS += gapS;
        this.lastS = atS;
        this.count += 1;
        if (frame.width !== clip.width) this.smaller += 1;
        const index = readCounter(frame.data, frame.width, clip.width);
        if (index === null) {
            this.unreadable += 1;
            return;
        }
        const sent = this.sender.number;
        const length = clip.pictures.length;
        const number = sent - ((((sent - index) % length) + length) % length);
        if (number <= this.lastNumber) this.backwards += 1;
        this.lastNumber = number;
        const sentS = this.sender.sentS.get(number);
        if (sentS !== undefined) this.latenciesS.push(atS - sentS);
        if (this.psnr && frame.width === clip.width) this.compare(frame.data, index);
    }

    compare(luma, index) {
        const { width, height, pictures } = this.sender.clip;
        const wanted = pictures[index];
        let error = 0;
        let count = 0;
        for (let y = CELL_PX; y < height; y += 4) {
            for (let at = y * width; at < (y + 1) * width; at += 4) {
                const off = luma[at] - wanted[at];
                error += off * off;
                count += 1;
            }
        }
        this.psnrs.push(10 * Math.log10(65025 / Math.max(error / count, 1e-3)));
    }

    report(atS) {
        // A picture that stands still at the end of the window counts as well.
        const gapS = this.lastS === null ? 0 : atS - this.lastS;
        const frozenS = this.frozenS + (gapS > 1 / this.sender.clip.fps + FREEZE_EXTRA_S ? gapS : 0);
        const { count, unreadable, backwards, smaller, latenciesS, psnrs } = this;
        return { count, unreadable, backwards, smaller, frozenS, latenciesS, psnrs };
    }
}

class AudioReceiver {
    constructor(track, sender) {
        this.sender = sender;
        this.capturing = false;
        this.captured = [];
        this.reset();
        this.sink = new RTCAudioSink(track);
        this.sink.ondata = (data) => this.take(data);
    }

    reset() {
        this.count = 0;
        this.latenciesS = [];
        this.quietUntilS = 0;
    }

    take({ samples, channelCount, numberOfFrames }) {
        const atS = nowS();
        this.count += numberOfFrames;
        if (this.capturing || this.sender.clicks.length) {
            const mono = new Int16Array(numberOfFrames);
            for (let i = 0; i < numberOfFrames; i++) mono[i] = samples[i * channelCount];
            if (this.capturing) this.captured.push(mono);
            if (this.sender.clicks.length) this.listen(mono, atS);
        }
    }

    listen(mono, atS) {
        for (let i = 0; i < mono.length; i++) {
            if (mono[i] <= CLICK_LEVEL && mono[i] >= -CLICK_LEVEL) continue;
            const heardS = atS + i / RATE_HZ;
            if (heardS > this.quietUntilS) {
                const clicked = this.sender.clickedS;
                if (clicked.length) this.latenciesS.push(heardS - clicked[clicked.length - 1]);
            }
            this.quietUntilS = heardS + CLICK_REST_S;
        }
    }

    write(path) {
        const buffers = this.captured.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength));
        fs.writeFileSync(path, Buffer.concat(buffers));
        this.captured = [];
    }

    report() {
        return { seconds: this.count / RATE_HZ, latenciesS: this.latenciesS };
    }
}

/** Connect two peers as a page would: candidates as they come. */
function trickle(pcs) {
    pcs.forEach((pc, i) => {
        pc.onicecandidate = ({ candidate }) => {
            if (candidate) pcs[1 - i].addIceCandidate(candidate).catch(() => {});
        };
    });
}

function connected(pcs, limitS = 20) {
    const all = pcs.map(
        (pc) =>
            new Promise((done) => {
                const look = () => pc.connectionState === "connected" && done();
                pc.onconnectionstatechange = look;
                look();
            }),
    );
    return Promise.race([
        Promise.all(all),
        sleep(limitS).then(() => {
            throw new Error(`not connected after ${limitS} s`);
        }),
    ]);
}

async function gathered(pc) {
    while (pc.iceGatheringState !== "complete") await sleep(0.002);
}

/** One candidate only, at the same address but the relay's port. */
function through(sdp, port) {
    const lines = [];
    let done = false;
    for (const line of sdp.split(/\r?\n/)) {
        if (!line.startsWith("a=candidate:")) {
            lines.push(line);
            continue;
        }
        const part = line.split(" ");
        const usable = part[2].toLowerCase() === "udp" && !part[4].includes(":") && part[7] === "host";
        if (usable && !done) {
            done = true;
            part[5] = String(port);
            lines.push(part.slice(0, 8).join(" "));
        }
    }
    return lines.join("\r\n");
}

const say = (what) => fs.writeSync(1, `${JSON.stringify(what)}\n`);

module.exports = {
    AudioReceiver,
    AudioSender,
    Clip,
    VideoReceiver,
    VideoSender,
    connected,
    gathered,
    nowS,
    say,
    sleep,
    through,
    trickle,
    wrtc,
};
