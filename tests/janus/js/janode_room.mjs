// A room from its beginning to its end by janode, Meetecho's own SDK for Node, with libwebrtc for
// the media. It is given a job as JSON: {url, apisecret, token, room, pin, secret, ann, bob}, where
// ann and bob are {colour: [Y, U, V], toneHz}; and writes what it saw as one line of JSON.

import media from "../../bench/peer/media.js";
import { HEARD, Somebody, limited, refused, sleep } from "./janode_somebody.mjs";

const LIMIT_MS = 80_000;

const job = JSON.parse(process.argv[2]);
const { room, pin, secret } = job;
const seen = {};

/** Makes the room; notes whether it is there, what the list says of it, and what is refused. */
async function begin(host) {
    const { handle } = host;
    const exists = async () => (await limited("exists", handle.exists({ room }))).exists;
    seen.server = (await limited("info", host.connection.getInfo())).janus;
    const before = await exists();
    const options = { is_private: false, notify_joining: true, talking_events: true };
    const levels = { talking_packets_threshold: 10, talking_level_threshold: 40 };
    const properties = { pin, secret, description: "talk", max_publishers: 2, videocodec: "vp8" };
    const made = { room, ...properties, ...options, ...levels };
    seen.created = await limited("create", handle.create(made));
    seen.existed = [before, await exists()];
    const { list } = await limited("list", handle.list());
    const { description, pin_required, max_publishers } = list.find((one) => one.room === room);
    seen.listed = { description, pin_required, max_publishers };

    const wrong = { url: job.url, apisecret: "wrong", token: "wrong" };
    const eve = await host.attach("eve");
    const join = (details) => eve.joinPublisher({ room, pin, display: "eve", ...details });
    seen.refused = {
        "a wrong secret of the server": await refused("arrive", Somebody.arrive("eve", wrong)),
        "a room made twice": await refused("create", handle.create(made)),
        "a wrong pin": await refused("join", join({ pin: "wrong" })),
        "no pin": await refused("join", join({ pin: undefined })),
        "an unknown room": await refused("join", join({ room: 999_999 })),
        "what needs a room before it": await refused("configure", eve.configure({ bitrate: 1 })),
        "a wrong secret of the room": await refused(
            "destroy",
            handle.destroy({ room, secret: "wrong" }),
        ),
        "kicking nobody": await refused("kick", handle.kick({ room, secret, feed: 999_999 })),
        "watching nobody": await refused(
            "subscribe",
            eve.joinSubscriber({ room, pin, streams: [{ feed: 999_999 }] }),
        ),
    };
    await limited("eve detaches", eve.detach());
}

/** Ann publishes; cy, who was there before, hears of it and watches her. */
async function watch(host, ann, cy) {
    await ann.join({ room, pin });
    seen.description = ann.joined.description;
    await cy.join({ room, pin });
    await ann.hears(HEARD.VIDEOROOM_PUB_PEER_JOINED, { feed: cy.joined.feed, display: "cy" });
    seen.refused["joining twice"] = await refused("join", ann.handle.joinPublisher({ room, pin }));

    const told = await ann.publish(job.ann.colour, job.ann.toneHz, (jsep) =>
        ann.handle.publish({ jsep, bitrate: 500_000 }),
    );
    const feed = ann.joined.feed;
    const kinds = (streams) => streams.map(({ type, codec }) => `${type} ${codec}`);
    seen.configured = kinds(told.streams);
    const heardOf = await cy.hearsOf("ann");
    seen.heardOf = [heardOf.feed === feed, ...kinds(heardOf.streams)];
    seen.refused["publishing twice"] = await refused("publish", ann.handle.publish({}));
    await cy.hears(HEARD.VIDEOROOM_TALKING, { feed, talking: true });

    seen.started = await cy.watch([{ feed }]);
    seen.subscribed = kinds(cy.streams);
    seen.ann = { colour: await cy.shows(feed, job.ann.colour) };
    seen.ann.hz = await cy.sounds(feed, job.ann.toneHz);
    const { participants } = await limited("list", host.handle.listParticipants({ room }));
    seen.participants = participants.map(({ display, publisher }) => [display, publisher]);
}

/** What needs no new description: pausing, one stream only, a moderator's mute, a new name. */
async function control(host, ann, cy) {
    const feed = ann.joined.feed;
    const { watcher } = cy;
    seen.paused = (await limited("pause", watcher.pause())).paused;
    await sleep(400);
    seen.picturesWhilePaused = await cy.pictures(feed);
    await limited("start again", watcher.start({}));
    await cy.shows(feed, job.ann.colour);
    seen.picturesAfterwards = await cy.pictures(feed);

    const video = cy.streams.find((one) => one.type === "video");
    const send = (on) => watcher.configure({ streams: [{ mid: video.mid, send: on }] });
    await limited("no pictures", send(false));
    await sleep(400);
    seen.picturesWhileOff = await cy.pictures(feed);
    await cy.sounds(feed, job.ann.toneHz);
    await limited("pictures again", send(true));
    await cy.shows(feed, job.ann.colour);

    // janode has no method for it, but sends any message of the plugin.
    const { feed_mid: mid } = cy.streams.find((one) => one.type === "audio");
    const moderate = (mute) =>
        host.handle.message({ request: "moderate", room, secret, id: feed, mid, mute });
    await limited("mute", moderate(true));
    await sleep(400);
    seen.hzWhileMuted = await cy.sounds(feed, 0);
    await limited("unmute", moderate(false));
    seen.hzAfterwards = await cy.sounds(feed, job.ann.toneHz);

    await limited("rename", ann.handle.configure({ display: "anna" }));
    await cy.hears(HEARD.VIDEOROOM_DISPLAY, { feed, display: "anna" });
    const recording = host.handle.enable_recording({ room, secret, record: false });
    seen.recording = (await limited("recording", recording)).record;
}

/** Bob joins with his offer; cy's subscription gets him, restarts ICE, switches and loses him. */
async function change(ann, bob, cy) {
    const told = await bob.publish(job.bob.colour, job.bob.toneHz, async (jsep) => {
        const body = { room, pin, display: "bob", jsep };
        return (bob.joined = await bob.handle.joinConfigurePublisher(body));
    });
    const [annFeed, feed] = [ann.joined.feed, bob.joined.feed];
    seen.inTheRoom = told.publishers.map(({ display }) => display);
    await cy.hearsOf("bob");

    const { watcher } = cy;
    const updated = await limited("subscribe more", watcher.update({ subscribe: [{ feed }] }));
    await cy.accept(updated);
    seen.lines = cy.streams.length;
    seen.bob = { colour: await cy.shows(feed, job.bob.colour) };
    seen.bob.hz = await cy.sounds(feed, job.bob.toneHz);
    await cy.shows(annFeed, job.ann.colour);
    await cy.sounds(annFeed, job.ann.toneHz);

    await cy.accept(await limited("restart ICE", watcher.configure({ restart: true })));
    await cy.shows(feed, job.bob.colour);
    await cy.sounds(annFeed, job.ann.toneHz);
    await ann.restart();
    await cy.shows(annFeed, job.ann.colour);
    await cy.sounds(annFeed, job.ann.toneHz);

    // Ann's picture is taken for bob's, in her m-line.
    const annLine = cy.streams.find((one) => one.type === "video" && one.feed_id === annFeed);
    const { feed_mid } = cy.streams.find((one) => one.type === "video" && one.feed_id === feed);
    const pair = { feed, mid: feed_mid, sub_mid: annLine.mid };
    const switched = await limited("switch", watcher.switch({ streams: [pair] }));
    seen.switched = switched.streams.find((one) => one.mid === annLine.mid).feed_id === feed;
    cy.streams = switched.streams;
    seen.switchedTo = await cy.shows(feed, job.bob.colour);
    const back = { feed: annFeed, mid: annLine.feed_mid, sub_mid: annLine.mid };
    cy.streams = (await limited("switch back", watcher.switch({ streams: [back] }))).streams;
    await cy.shows(annFeed, job.ann.colour);

    // Bob's connection goes, and with it his part of the subscription: the server offers again.
    await limited("bob hangs up", bob.handle.hangup());
    await cy.hears(HEARD.VIDEOROOM_UNPUBLISHED, { feed });
    const changed = await cy.hears(HEARD.VIDEOROOM_UPDATED, { via: "watcher" });
    await cy.accept(changed);
    seen.linesOfBob = cy.streams.filter((one) => one.active && one.feed_id === feed).length;
    await cy.shows(annFeed, job.ann.colour);
    seen.left = (await limited("bob leaves", bob.handle.leave())).feed === feed;
    await cy.hears(HEARD.VIDEOROOM_LEAVING, { feed });
}

/** Ann is kicked, cy watches no more, the room is destroyed and everybody goes. */
async function end(host, ann, bob, cy) {
    const { handle } = host;
    const { feed } = ann.joined;
    await limited("kick", handle.kick({ room, secret, feed }));
    await ann.hears(HEARD.VIDEOROOM_LEAVING, { feed, reason: "kicked" });
    await ann.hears(HEARD.HANDLE_HANGUP);
    await cy.hears(HEARD.VIDEOROOM_KICKED, { feed });
    await limited("cy watches no more", cy.watcher.leave());

    const allow = (action, list) => handle.allow({ room, secret, action, list });
    await limited("only with a ticket", allow("enable", []));
    seen.tickets = (await limited("a ticket", allow("add", ["ticket"]))).list;
    const eve = await host.attach("eve");
    const join = (token) => eve.joinPublisher({ room, pin, token });
    seen.refused["no ticket"] = await refused("join", join(undefined));
    await limited("join with a ticket", join("ticket"));
    await limited("eve leaves", eve.leave());

    seen.destroyed = await limited("destroy", handle.destroy({ room, secret }));
    await cy.hears(HEARD.VIDEOROOM_DESTROYED, { room });
    seen.existed.push((await limited("exists", handle.exists({ room }))).exists);
    seen.departed = [];
    for (const one of [ann, bob, cy, host]) seen.departed.push(await one.depart());
}

async function main() {
    const names = ["host", "ann", "bob", "cy"];
    const [host, ann, bob, cy] = await Promise.all(names.map((name) => Somebody.arrive(name, job)));
    await begin(host);
    await watch(host, ann, cy);
    await control(host, ann, cy);
    await change(ann, bob, cy);
    await end(host, ann, bob, cy);
}

/** Says what was seen, and ends: libwebrtc would keep the process. */
function finish(error) {
    if (error) seen.error = error.message;
    media.say(seen);
    process.exit(error ? 1 : 0);
}

setTimeout(() => finish(new Error(`not done within ${LIMIT_MS} ms`)), LIMIT_MS);
main().then(() => finish(), finish);
