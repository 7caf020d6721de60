// What janode imports of unix-dgram; never called for ws:// addresses.
"use strict";

exports.createSocket = () => {
    throw new Error("Unix sockets are left out here: connect to a WebSocket");
};
