// A file sent by one libwebrtc peer and recorded by the other, in the way open to a Node program:
// FFmpeg decodes the file onto pipes, and encodes what arrives. The twin of ../ours/file.py.
"use strict";

const { spawn } = require("node:child_process");
const media = require("./media.js");

const { nowS, say, sleep, wrtc } = media;
const { RTCVideoSource, RTCAudioSource, RTCVideoSink, RTCAudioSink } = wrtc.nonstandard;
const job = JSON.parse(process.argv[2]);
const { width, height, fps } = job;
const FRAME_BYTES = (width * height * 3) / 2;
const CHUNK_BYTES = 960; // 10 ms of mono

const RAW_VIDEO = ["-f", "rawvideo", "-pix_fmt", "yuv420p"];
const RAW_AUDIO = ["-f", "s16le", "-ac", "1", "-ar", "48000"];

function decode(video, audio) {
    const sizes = ["-r", `${fps}`, "-s", `${width}x${height}`];
    const ffmpeg = spawn(
        "ffmpeg",
        [
            ...["-v", "error", "-nostdin", "-re", "-i", job.input],
            ...["-map", "0:v", ...RAW_VIDEO, ...sizes, "pipe:1"],
            ...["-map", "0:a", ...RAW_AUDIO, "pipe:3"],
        ],
        { stdio: ["ignore", "pipe", "inherit", "pipe"] },
    );
    let picture = new Uint8ClampedArray(FRAME_BYTES);
    let filled = 0;
    ffmpeg.stdout.on("data", (data) => {
        for (let at = 0; at < data.length; ) {
            const count = Math.min(FRAME_BYTES - filled, data.length - at);
            picture.set(data.subarray(at, at + count), filled);
            filled += count;
            at += count;
            if (filled === FRAME_BYTES) {
                video.onFrame({ width, height, data: picture });
                picture = new Uint8ClampedArray(FRAME_BYTES);
                filled = 0;
            }
        }
    });
    let waiting = Buffer.alloc(0);
    ffmpeg.stdio[3].on("data", (data) => (waiting = Buffer.concat([waiting, data])));
    const startS = nowS();
    let chunk = 0;
    const timer = setInterval(() => {
        for (; startS + chunk * 0.01 <= nowS(); chunk++) {
            if (waiting.length < CHUNK_BYTES) continue;
            const samples = new Int16Array(CHUNK_BYTES / 2);
            waiting.copy(Buffer.from(samples.buffer), 0, 0, CHUNK_BYTES);
            waiting = waiting.subarray(CHUNK_BYTES);
            const shape = { sampleRate: 48000, bitsPerSample: 16, channelCount: 1 };
            audio.onData({ samples, ...shape, numberOfFrames: CHUNK_BYTES / 2 });
        }
    }, 5);
    return () => {
        clearInterval(timer);
        ffmpeg.kill();
    };
}

function record(tracks) {
    const ffmpeg = spawn(
        "ffmpeg",
        [
            ...["-v", "error", "-y"],
            ...[...RAW_VIDEO, "-s", `${width}x${height}`, "-r", `${fps}`, "-i", "pipe:0"],
            ...[...RAW_AUDIO, "-i", "pipe:3"],
            ...["-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", job.output],
        ],
        { stdio: ["pipe", "ignore", "inherit", "pipe"] },
    );
    const video = new RTCVideoSink(tracks.video);
    video.onframe = ({ frame }) => {
        if (frame.width === width) ffmpeg.stdin.write(Buffer.from(frame.data));
    };
    const audio = new RTCAudioSink(tracks.audio);
    audio.ondata = ({ samples }) => {
        ffmpeg.stdio[3].write(
            Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength),
        );
    };
    return async () => {
        video.stop();
        audio.stop();
        const closed = new Promise((done) => ffmpeg.on("close", done));
        ffmpeg.stdin.end();
        ffmpeg.stdio[3].end();
        await closed;
    };
}

async function main() {
    const pcs = [0, 1].map(() => new wrtc.RTCPeerConnection({ iceServers: [] }));
    const tracks = {};
    pcs[1].ontrack = ({ track }) => (tracks[track.kind] = track);
    const [video, audio] = [new RTCVideoSource(), new RTCAudioSource()];
    const stream = new wrtc.MediaStream();
    for (const source of [audio, video]) {
        const track = source.createTrack();
        stream.addTrack(track);
        pcs[0].addTrack(track, stream);
    }
    media.trickle(pcs);
    await pcs[0].setLocalDescription(await pcs[0].createOffer());
    await pcs[1].setRemoteDescription(pcs[0].localDescription);
    await pcs[1].setLocalDescription(await pcs[1].createAnswer());
    await pcs[0].setRemoteDescription(pcs[1].localDescription);
    await media.connected(pcs);
    say({ mark: "begin" });
    const finish = record(tracks);
    const stop = decode(video, audio);
    await sleep(job.seconds);
    stop();
    await finish();
    say({ mark: "end" });
    say({ result: {} });
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
