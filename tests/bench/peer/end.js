// One libwebrtc peer that is told what to do in lines of JSON on stdin and answers on stdout:
// {"id": 1, "do": "offer"} -> {"id": 1, "value": ...}, or {"id": 1, "error": "..."}.
// Changes of the connection come as {"state": "connected"}. It ends when stdin does.
"use strict";

const readline = require("node:readline");
const { gathered, say, sleep, wrtc } = require("./media.js");

const { RTCVideoSource, RTCAudioSource, RTCVideoSink, RTCAudioSink } = wrtc.nonstandard;

const WIDTH = 320;
const HEIGHT = 240;
const CELL_PX = 16;
const BITS = 16; // of the counter: cells along the top, the lowest bit first
const KEPT_CHUNKS = 100; // of 10 ms
const KEPT_PICTURES = 600;

let pc;
const sources = {};
const tracks = {};
const senders = {};
const heard = [];
let seen = [];

function readCounter(luma, width) {
    let number = 0;
    for (let bit = 0; bit < BITS; bit++) {
        const x = Math.floor(((bit + 0.5) * CELL_PX * width) / WIDTH);
        if (luma[Math.floor((CELL_PX / 2) * (width / WIDTH)) * width + x] > 125) number |= 1 << bit;
    }
    return number;
}

function picture(number, level) {
    const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2);
    data.fill(level, 0, WIDTH * HEIGHT);
    data.fill(128, WIDTH * HEIGHT);
    for (let bit = 0; bit < BITS; bit++) {
        const value = (number >> bit) & 1 ? 235 : 16;
        for (let y = 0; y < CELL_PX; y++) {
            const start = y * WIDTH + bit * CELL_PX;
            data.fill(value, start, start + CELL_PX);
        }
    }
    return { width: WIDTH, height: HEIGHT, data };
}

function received({ track }) {
    if (track.kind === "audio") {
        const sink = new RTCAudioSink(track);
        sink.ondata = ({ samples, channelCount, numberOfFrames }) => {
            heard.push(Array.from({ length: numberOfFrames }, (_, i) => samples[i * channelCount]));
            if (heard.length > KEPT_CHUNKS) heard.shift();
        };
        tracks.heard = sink;
        return;
    }
    const sink = new RTCVideoSink(track);
    sink.onframe = ({ frame: { width, height, data } }) => {
        const middle = data[Math.floor(height * 0.75) * width + Math.floor(width / 2)];
        seen.push({ number: readCounter(data, width), width, height, middle });
        if (seen.length > KEPT_PICTURES) seen.shift();
    };
    tracks.seen = sink;
}

/** Keep only the payload types of one video codec, and what repeats them. */
function only(codec, sdp) {
    const [session, ...parts] = sdp.split(/(?=^m=)/m);
    const kept = parts.map((part) => {
        if (!part.startsWith("m=video")) return part;
        const lines = part.split("\r\n");
        const wanted = new Set();
        for (const line of lines) {
            const [, type, name] = line.match(/^a=rtpmap:(\d+) ([^/]+)/) ?? [];
            if (name?.toLowerCase() === codec) wanted.add(type);
        }
        for (const line of lines) {
            const [, type, repeated] = line.match(/^a=fmtp:(\d+) apt=(\d+)/) ?? [];
            if (wanted.has(repeated)) wanted.add(type);
        }
        return lines
            .map((line, i) =>
                i === 0
                    ? line.replace(/(m=\S+ \S+ \S+)(.*)/, (_, head, rest) =>
                          [head, ...rest.trim().split(" ").filter((t) => wanted.has(t))].join(" "),
                      )
                    : line,
            )
            .filter((line) => {
                const [, type] = line.match(/^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/) ?? [];
                return type === undefined || wanted.has(type);
            })
            .join("\r\n");
    });
    return [session, ...kept].join("");
}

function play(hz) {
    let number = 0;
    let chunk = 0;
    const startMs = Date.now();
    setInterval(() => {
        const passedMs = Date.now() - startMs;
        while (sources.video && number <= (passedMs * 30) / 1000) {
            sources.video.onFrame(picture(number, 60 + (number % 60) * 2));
            number += 1;
        }
        while (sources.audio && chunk <= passedMs / 10) {
            const samples = Int16Array.from(
                { length: 480 },
                (_, i) => 9000 * Math.sin((2 * Math.PI * hz * (chunk * 480 + i)) / 48000),
            );
            const shape = { sampleRate: 48000, bitsPerSample: 16, channelCount: 1 };
            sources.audio.onData({ samples, ...shape, numberOfFrames: 480 });
            chunk += 1;
        }
    }, 5);
}

const orders = {
    open() {
        pc = new wrtc.RTCPeerConnection({ iceServers: [] });
        pc.ontrack = received;
        pc.onconnectionstatechange = () => say({ state: pc.connectionState });
        const stream = new wrtc.MediaStream();
        sources.audio = new RTCAudioSource();
        sources.video = new RTCVideoSource();
        for (const [kind, source] of Object.entries(sources)) {
            tracks[kind] = source.createTrack();
            stream.addTrack(tracks[kind]);
            senders[kind] = pc.addTrack(tracks[kind], stream);
        }
    },
    async offer({ codec }) {
        const { sdp } = await pc.createOffer();
        const wanted = codec ? only(codec, sdp) : sdp;
        await pc.setLocalDescription({ type: "offer", sdp: wanted });
        await gathered(pc);
        return pc.localDescription.sdp;
    },
    async answer() {
        await pc.setLocalDescription(await pc.createAnswer());
        await gathered(pc);
        return pc.localDescription.sdp;
    },
    apply({ type, sdp }) {
        return pc.setRemoteDescription({ type, sdp });
    },
    play({ hz }) {
        play(hz);
    },
    enable({ kind, on }) {
        tracks[kind].enabled = on;
    },
    /** Samples of the last second. */
    heard() {
        return heard.flat();
    },
    /** Pictures since the last time this was asked. */
    seen() {
        const found = seen;
        seen = [];
        return found;
    },
    async stats() {
        const found = [];
        for (const one of (await pc.getStats()).values()) {
            if (/^(inbound|outbound)-rtp$|^codec$/.test(one.type)) found.push({ ...one });
        }
        return found;
    },
    async close() {
        pc.close();
        await sleep(0.2); // the goodbye leaves the machine
    },
};

async function obey(line) {
    const { id, do: name, ...rest } = JSON.parse(line);
    try {
        say({ id, value: (await orders[name](rest)) ?? null });
    } catch (error) {
        say({ id, error: String(error) });
    }
}

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", obey);
lines.on("close", () => process.exit(0));
