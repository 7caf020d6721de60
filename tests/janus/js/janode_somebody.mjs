// Somebody in a room by janode, with libwebrtc for the media. Every wait has a limit that names
// what was waited for, and what this person had heard until then.

import Janode from "janode";
import VideoRoom from "janode/plugins/videoroom";

import { Receiving, Sending } from "./wrtc_media.mjs";

const LIMIT_MS = 20_000;
const KEEPALIVE_S = 5;
const NEAR = 20; // of 255, in each plane of a picture
const NEAR_HZ = 5;

Janode.Logger.setLevel("error");

export const HEARD = { ...Janode.EVENT, ...VideoRoom.EVENT };
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** The result of something, or an error that names it when it takes too long or fails. */
export async function limited(what, work) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${LIMIT_MS} ms`)), LIMIT_MS);
    });
    try {
        return await Promise.race([work, late]);
    } catch (error) {
        throw new Error(`${what}: ${error.message}`, { cause: error });
    } finally {
        clearTimeout(timer);
    }
}

/** The code with which something is refused; janode's errors begin with it. */
export async function refused(what, work) {
    try {
        await limited(what, work);
    } catch (error) {
        let first = error;
        while (first.cause) first = first.cause;
        return Number.parseInt(first.message, 10) || error.message;
    }
    return `${what}: not refused`;
}

export class Somebody {
    /** Connects, with a session and a handle. */
    static async arrive(name, { url, apisecret, token }) {
        const one = new Somebody();
        one.name = name;
        one.heard = [];
        one.streams = [];
        const address = { url, apisecret, token };
        one.connection = await limited(
            `${name} connects`,
            Janode.connect({ address, max_retries: 0 }),
        );
        one.connection.on(HEARD.CONNECTION_CLOSED, () => one.note(HEARD.CONNECTION_CLOSED));
        one.session = await limited(`${name}'s session`, one.connection.create(KEEPALIVE_S));
        one.session.on(HEARD.SESSION_DESTROYED, () => one.note(HEARD.SESSION_DESTROYED));
        one.handle = await one.attach("handle");
        return one;
    }

    note(event, details, via) {
        this.heard.push({ event, ...details, via });
    }

    async attach(via) {
        const handle = await limited(`${this.name}'s ${via}`, this.session.attach(VideoRoom));
        for (const event of Object.values(HEARD)) {
            handle.on(event, (details) => this.note(event, details, via));
        }
        return handle;
    }

    async until(what, ready) {
        const endMs = Date.now() + LIMIT_MS;
        for (;;) {
            const found = ready();
            if (found) return found;
            if (Date.now() > endMs) {
                throw new Error(`${this.name} waits for ${what}; ${JSON.stringify(this.heard)}`);
            }
            await sleep(20);
        }
    }

    /** Waits until janode has told this, with these details. */
    hears(event, wanted = {}) {
        const fits = (one) => Object.entries(wanted).every(([key, value]) => one[key] === value);
        return this.until(`${event} ${JSON.stringify(wanted)}`, () =>
            this.heard.find((one) => one.event === event && fits(one)),
        );
    }

    /** Waits until the publisher of that name is told of; gives it. */
    hearsOf(display) {
        return this.until(`the publisher ${display}`, () =>
            this.heard
                .filter((one) => one.event === HEARD.VIDEOROOM_PUB_LIST)
                .flatMap((one) => one.publishers)
                .find((one) => one.display === display),
        );
    }

    async join(details) {
        const body = { display: this.name, ...details };
        this.joined = await limited(`${this.name} joins`, this.handle.joinPublisher(body));
        this.joinedWith = details;
        return this.joined;
    }

    /** Sends a colour and a tone; `ask` takes the offer to the server. Candidates trickle. */
    async publish(colour, toneHz, ask) {
        this.sending = new Sending(colour, toneHz);
        const told = await this.offer(ask);
        await this.hears(HEARD.HANDLE_WEBRTCUP, { via: "handle" });
        return told;
    }

    async offer(ask, options) {
        const tricklings = [];
        const trickle = (one) => tricklings.push(this.handle.trickle(one));
        const offer = await limited(`${this.name}'s offer`, this.sending.offer(trickle, options));
        const told = await limited(`${this.name} publishes`, ask(offer));
        await limited(`${this.name}'s answer`, this.sending.take(told.jsep));
        await limited(`${this.name}'s candidates`, Promise.all(tricklings));
        return told;
    }

    /** Restarts ICE of what it sends. */
    restart() {
        return this.offer((jsep) => this.handle.configure({ jsep }), { iceRestart: true });
    }

    /** Subscribes over a handle of its own. */
    async watch(streams) {
        this.watcher = await this.attach("watcher");
        this.receiving = new Receiving();
        const { room, pin } = this.joinedWith;
        const { private_id } = this.joined;
        const told = await limited(
            `${this.name} subscribes`,
            this.watcher.joinSubscriber({ room, pin, private_id, streams }),
        );
        const started = await this.accept(told);
        await this.hears(HEARD.HANDLE_WEBRTCUP, { via: "watcher" });
        return started;
    }

    /** Answers what the server offers of a subscription; candidates come as one list. */
    async accept({ jsep, streams }) {
        this.streams = streams ?? this.streams;
        const [answer, candidates] = await limited(
            `${this.name}'s answer`,
            this.receiving.answer({ type: jsep.type, sdp: jsep.sdp }),
        );
        const [told] = await limited(
            `${this.name} starts`,
            Promise.all([
                this.watcher.start({ jsep: answer }),
                ...(candidates.length ? [this.watcher.trickle(candidates)] : []),
                this.watcher.trickleComplete(),
            ]),
        );
        return told.started;
    }

    /** The m-line of the subscription that shows what somebody sends of a kind. */
    line(kind, feed) {
        const found = this.streams.find((one) => one.type === kind && one.feed_id === feed);
        return this.receiving.lines.get(found?.mid);
    }

    /** Waits until that is what is seen of somebody from now on; gives the colour. */
    async shows(feed, colour) {
        const line = this.line("video", feed);
        line.forget();
        return await this.until(`pictures of ${colour}`, () => {
            const isNear = line.colour?.every((value, i) => Math.abs(value - colour[i]) < NEAR);
            return isNear && line.colour;
        });
    }

    /** Waits until that is what is heard of somebody from now on; gives the frequency. */
    async sounds(feed, toneHz) {
        const line = this.line("audio", feed);
        line.forget();
        const { hz } = await this.until(`a tone of ${toneHz} Hz`, () => {
            const { hz } = line;
            return hz !== null && Math.abs(hz - toneHz) < NEAR_HZ && { hz };
        });
        return hz;
    }

    /** How many pictures come of somebody in a while. */
    async pictures(feed, ms = 700) {
        const line = this.line("video", feed);
        const before = line.count;
        await sleep(ms);
        return line.count - before;
    }

    /** Detaches its handles, ends its session and closes its connection. */
    async depart() {
        for (const via of ["watcher", "handle"]) {
            if (!this[via]) continue;
            await limited(`${this.name} detaches its ${via}`, this[via].detach());
        }
        await limited(`${this.name} ends its session`, this.session.destroy());
        await limited(`${this.name} closes its connection`, this.connection.close());
        this.sending?.pc.close();
        this.receiving?.pc.close();
        const told = [HEARD.HANDLE_DETACHED, HEARD.SESSION_DESTROYED, HEARD.CONNECTION_CLOSED];
        return told.every((event) => this.heard.some((one) => one.event === event));
    }
}
