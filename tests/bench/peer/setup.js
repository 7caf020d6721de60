// How long two libwebrtc peers need from createOffer until both are connected, with candidates
// sent as they come. The last pair plays a tone and the other side checks that it arrives.
"use strict";

const media = require("./media.js");

const { nowS, say, sleep, wrtc } = media;
const job = JSON.parse(process.argv[2]);

async function connect() {
    const pcs = [0, 1].map(() => new wrtc.RTCPeerConnection({ iceServers: [] }));
    const sources = [];
    const arrived = [];
    for (const pc of pcs) {
        const stream = new wrtc.MediaStream();
        const audio = new wrtc.nonstandard.RTCAudioSource();
        sources.push(audio);
        for (const source of [audio, new wrtc.nonstandard.RTCVideoSource()]) {
            const track = source.createTrack();
            stream.addTrack(track);
            pc.addTrack(track, stream);
        }
        pc.ontrack = ({ track }) => arrived.push(track);
    }
    const startS = nowS();
    const both = media.connected(pcs);
    media.trickle(pcs);
    const offer = await pcs[0].createOffer();
    await pcs[0].setLocalDescription(offer);
    await pcs[1].setRemoteDescription(offer);
    const answer = await pcs[1].createAnswer();
    await pcs[1].setLocalDescription(answer);
    await pcs[0].setRemoteDescription(answer);
    await both;
    return { pcs, sources, arrived, seconds: nowS() - startS };
}

/** Whether a 1 kHz tone comes through, in both directions. */
async function hears({ sources, arrived }) {
    const loudest = [];
    for (const track of arrived.filter(({ kind }) => kind === "audio")) {
        const at = loudest.push(0) - 1;
        new wrtc.nonstandard.RTCAudioSink(track).ondata = ({ samples }) => {
            for (const sample of samples) loudest[at] = Math.max(loudest[at], sample);
        };
    }
    const samples = Int16Array.from({ length: 480 }, (_, i) => 8000 * Math.sin((i * Math.PI) / 24));
    for (let i = 0; i < 200 && !(loudest.length === 2 && loudest.every((x) => x > 4000)); i++) {
        for (const source of sources) {
            const shape = { sampleRate: 48000, bitsPerSample: 16, channelCount: 1 };
            source.onData({ samples, ...shape, numberOfFrames: 480 });
        }
        await sleep(0.01);
    }
    return loudest.length === 2 && loudest.every((x) => x > 4000);
}

async function main() {
    const times = [];
    let sound = false;
    for (let i = 0; i < job.count + 2; i++) {
        const made = await connect();
        if (i >= 2) times.push(made.seconds); // the first two warm up
        if (i === job.count + 1) sound = await hears(made);
        made.pcs.forEach((pc) => pc.close());
        await sleep(0.02);
    }
    say({ result: { times_s: times, sound } });
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
