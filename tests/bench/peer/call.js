// Calls between libwebrtc peers in one process; the twin of ../ours/call.py, which explains the
// job it is given and what it reports.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const media = require("./media.js");

const { nowS, say, sleep, wrtc } = media;
const job = JSON.parse(process.argv[2]);

async function call(clip, sound) {
    const pcs = [0, 1].map(() => new wrtc.RTCPeerConnection({ iceServers: [] }));
    const videos = clip ? [0, 1].map(() => new media.VideoSender(clip)) : [];
    const audios = sound ? [0, 1].map(() => new media.AudioSender(sound, job.clicks)) : [];
    const receivers = { video: [], audio: [] };
    pcs.forEach((pc, i) => {
        pc.ontrack = ({ track }) => {
            receivers[track.kind].push(
                track.kind === "video"
                    ? new media.VideoReceiver(track, videos[1 - i])
                    : new media.AudioReceiver(track, audios[1 - i]),
            );
        };
        const stream = new wrtc.MediaStream();
        for (const sender of [audios[i], videos[i]]) {
            if (!sender) continue;
            stream.addTrack(sender.track);
            pc.addTrack(sender.track, stream);
        }
    });
    if (!job.relay) media.trickle(pcs);
    const whole = async (pc, made, port) => {
        await pc.setLocalDescription(made);
        if (!job.relay) return made;
        await media.gathered(pc);
        return { type: made.type, sdp: media.through(pc.localDescription.sdp, port) };
    };
    const [portOfA, portOfB] = job.relay ?? [0, 0];
    await pcs[1].setRemoteDescription(await whole(pcs[0], await pcs[0].createOffer(), portOfB));
    await pcs[0].setRemoteDescription(await whole(pcs[1], await pcs[1].createAnswer(), portOfA));
    await media.connected(pcs);
    [...videos, ...audios].forEach((sender) => sender.start());
    return { pcs, videos, audios, receivers };
}

async function figures(calls) {
    const sum = { videoBytes: 0, audioBytes: 0, concealed: 0, samples: 0, keyframes: 0, plis: 0 };
    const add = (key, value) => (sum[key] += value ?? 0);
    for (const { pcs } of calls) {
        for (const pc of pcs) {
            for (const one of (await pc.getStats()).values()) {
                if (one.type === "outbound-rtp") {
                    add(`${one.kind}Bytes`, one.bytesSent);
                    add("keyframes", one.keyFramesEncoded);
                } else if (one.type === "inbound-rtp") {
                    add("concealed", one.concealedSamples);
                    add("samples", one.totalSamplesReceived);
                    add("plis", one.pliCount);
                }
            }
        }
    }
    return sum;
}

async function main() {
    const clip = job.video && new media.Clip(job.video);
    let sound = null;
    if (job.sound) {
        const data = fs.readFileSync(job.sound);
        sound = new Int16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
    }
    const calls = [];
    for (let i = 0; i < job.calls; i++) calls.push(await call(clip, sound));
    const videos = calls.flatMap((one) => one.receivers.video);
    const audios = calls.flatMap((one) => one.receivers.audio);
    const heard = audios.slice(0, 2);
    say({ mark: "connected" });
    await sleep(job.warm_s);

    const before = await figures(calls);
    [...videos, ...audios].forEach((receiver) => receiver.reset());
    heard.forEach((receiver) => (receiver.capturing = job.capture === "during"));
    const startS = nowS();
    say({ mark: "begin" });
    await sleep(job.seconds);
    say({ mark: "end" });
    const wallS = nowS() - startS;
    const after = await figures(calls);
    const video = videos.map((receiver) => receiver.report(nowS()));
    const audio = audios.map((receiver) => receiver.report());

    if (job.after_s) {
        videos.forEach((receiver) => (receiver.psnr = true));
        heard.forEach((receiver) => (receiver.capturing = job.capture === "after"));
        await sleep(job.after_s);
        videos.forEach((receiver, i) => (video[i].psnrs = receiver.psnrs));
    }
    heard.forEach((receiver, i) => {
        receiver.capturing = false;
        if (job.capture) receiver.write(path.join(job.folder, `heard${i}.s16`));
    });
    const grown = Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));
    say({
        result: {
            wall_s: wallS,
            video: video.map((one) => ({
                pictures: one.count,
                unreadable: one.unreadable,
                backwards: one.backwards,
                smaller: one.smaller,
                frozen_s: one.frozenS,
                latencies_s: one.latenciesS,
                psnrs_db: one.psnrs,
            })),
            audio: audio.map((one) => ({ seconds: one.seconds, latencies_s: one.latenciesS })),
            video_bps: (grown.videoBytes * 8) / wallS / Math.max(1, videos.length),
            audio_bps: (grown.audioBytes * 8) / wallS / Math.max(1, audios.length),
            audio_lost: grown.samples ? grown.concealed / grown.samples : 0,
            keyframes: grown.keyframes,
            plis: grown.plis,
            skipped: calls.flatMap((one) => one.videos).reduce((sum, one) => sum + one.skipped, 0),
        },
    });
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
