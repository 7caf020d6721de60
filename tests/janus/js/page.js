// Somebody in a room by janus.js: sends a coloured picture and a tone, and looks at and listens
// to what the others send. The test drives it by the functions on `window`.

import Janus from "/js/janus.js";

const VIDEO_ROOM = "janus.plugin.videoroom";
const sounds = new AudioContext();

/** Wraps a call that takes `success` and `error` callbacks. */
function done(work) {
    return new Promise((resolve, reject) =>
        work({ success: resolve, error: (why) => reject(new Error(String(why))) }),
    );
}

/** A picture of one colour in which something moves, and a tone. */
function media(colour, toneHz) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 240];
    const pen = canvas.getContext("2d");
    let number = 0;
    setInterval(() => {
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 320, 240);
        pen.fillStyle = number % 2 ? "black" : "white";
        pen.fillRect((number++ * 8) % 320, 0, 16, 16);
    }, 66);
    const tone = new OscillatorNode(sounds, { frequency: toneHz });
    const quieter = new GainNode(sounds, { gain: 0.4 });
    const out = sounds.createMediaStreamDestination();
    tone.connect(quieter).connect(out);
    tone.start();
    return [canvas.captureStream(15).getVideoTracks()[0], out.stream.getAudioTracks()[0]];
}

/** What comes of one remote track. */
class Sense {
    constructor(track) {
        this.kind = track.kind;
        this.element = document.createElement(track.kind);
        this.element.muted = track.kind === "audio"; // only muted ones play without a click
        this.element.srcObject = new MediaStream([track]);
        this.element.play();
        document.body.append(this.element);
        if (track.kind === "audio") {
            this.analyser = new AnalyserNode(sounds, { fftSize: 8192 });
            sounds.createMediaStreamSource(this.element.srcObject).connect(this.analyser);
        }
    }

    /** The mean colour as [red, green, blue], or the loudest frequency in Hz. */
    now() {
        if (this.analyser) {
            const levels = new Float32Array(this.analyser.frequencyBinCount);
            this.analyser.getFloatFrequencyData(levels);
            const loudest = levels.indexOf(Math.max(...levels));
            return levels[loudest] > -80
                ? (loudest * sounds.sampleRate) / this.analyser.fftSize
                : null;
        }
        if (!this.element.videoWidth) return null;
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [32, 24];
        const pen = canvas.getContext("2d");
        pen.drawImage(this.element, 0, 0, 32, 24);
        const { data } = pen.getImageData(8, 8, 16, 12);
        return [0, 1, 2].map((part) => {
            let sum = 0;
            for (let at = part; at < data.length; at += 4) sum += data[at];
            return Math.round((sum * 4) / data.length);
        });
    }
}

class Somebody {
    async open(server, token) {
        await new Promise((callback) => Janus.init({ debug: ["warn", "error"], callback }));
        this.notes = [];
        this.senses = new Map();
        this.janus = await new Promise((resolve, reject) => {
            const janus = new Janus({
                server,
                token,
                iceServers: [],
                max_poll_events: 10,
                success: () => resolve(janus),
                error: (why) => reject(new Error(String(why))),
                destroyed: () => this.notes.push("destroyed"),
            });
        });
    }

    attach(plugin, callbacks) {
        return done((ends) => this.janus.attach({ plugin, ...callbacks, ...ends }));
    }

    /** Joins as a publisher and sends; later subscribes to everybody it hears of. */
    async enter({ server, token, room, pin, display, colour, toneHz }) {
        await this.open(server, token);
        this.room = { room, pin };
        const joined = new Promise((resolve) => (this.onJoined = resolve));
        const up = new Promise((resolve) => (this.onUp = resolve));
        this.publisher = await this.attach(VIDEO_ROOM, {
            onmessage: (message, jsep) => this.onPublisher(message, jsep),
            webrtcState: (on) => on && this.onUp(),
            mediaState: (kind, on, mid) => this.notes.push(`media ${kind} ${mid} ${on}`),
        });
        this.publisher.send({
            message: { request: "join", ptype: "publisher", display, ...this.room },
        });
        this.joined = await joined;
        const [video, audio] = media(colour, toneHz);
        const jsep = await done((ends) =>
            this.publisher.createOffer({
                tracks: [
                    { type: "audio", capture: audio, recv: false },
                    { type: "video", capture: video, recv: false },
                ],
                ...ends,
            }),
        );
        this.publisher.send({ message: { request: "publish" }, jsep });
        await up;
        return this.joined.id;
    }

    onPublisher(message, jsep) {
        if (message.error) this.notes.push(`refused ${message.error_code}`);
        if (message.videoroom === "joined") this.onJoined(message);
        if (jsep) this.publisher.handleRemoteJsep({ jsep });
        for (const what of ["leaving", "unpublished", "kicked"]) {
            if (message[what]) this.notes.push(`${what} ${message[what]}`);
        }
        if (message.publishers?.length) {
            this.wanted = (this.wanted ?? Promise.resolve()).then(() =>
                this.subscribe(message.publishers),
            );
        }
    }

    /** All streams of everybody over one connection. */
    async subscribe(publishers) {
        const streams = publishers.flatMap(({ id, streams }) =>
            streams.map(({ mid }) => ({ feed: id, mid })),
        );
        if (this.subscriber) {
            this.subscriber.send({ message: { request: "subscribe", streams } });
            return;
        }
        this.subscriber = await this.attach(VIDEO_ROOM, {
            onmessage: async (message, jsep) => {
                if (message.error) this.notes.push(`refused ${message.error_code}`);
                for (const one of message.streams ?? []) {
                    this.feeds = { ...this.feeds, [one.mid]: one.feed_display };
                }
                if (!jsep) return;
                const answer = await done((ends) => this.subscriber.createAnswer({ jsep, ...ends }));
                this.subscriber.send({ message: { request: "start" }, jsep: answer });
            },
            onremotetrack: (track, mid, on) => {
                if (on && !this.senses.has(mid)) this.senses.set(mid, new Sense(track));
            },
        });
        this.subscriber.send({
            message: { request: "join", ptype: "subscriber", streams, ...this.room },
        });
    }

    async echo({ server, token, colour, toneHz }) {
        await this.open(server, token);
        const handle = await this.attach("janus.plugin.echotest", {
            onmessage: (_message, jsep) => jsep && handle.handleRemoteJsep({ jsep }),
            onremotetrack: (track, mid, on) => {
                if (on && !this.senses.has(mid)) this.senses.set(mid, new Sense(track));
            },
        });
        const [video, audio] = media(colour, toneHz);
        const jsep = await done((ends) =>
            handle.createOffer({
                tracks: [
                    { type: "audio", capture: audio, recv: true },
                    { type: "video", capture: video, recv: true },
                ],
                ...ends,
            }),
        );
        handle.send({ message: { audio: true, video: true }, jsep });
    }

    /** What is seen and heard now: {name: {audio, video}}. */
    now() {
        const found = {};
        for (const [mid, sense] of this.senses) {
            const name = this.feeds?.[mid] ?? "echo";
            found[name] = { ...found[name], [sense.kind]: sense.now() };
        }
        return found;
    }

    async leave() {
        this.publisher.send({ message: { request: "leave" } });
        await done((ends) => this.janus.destroy(ends));
    }
}

window.somebody = new Somebody();
