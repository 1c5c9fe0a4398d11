/* Loaded into the validating proxy (node --require): the server that it asks has a name that no resolver knows, and may want a
 * certificate. UPSTREAM: its numeric IPv4 address; UPSTREAM_CERT, UPSTREAM_KEY: PEM files, or empty. */
"use strict";
const fs = require("node:fs");
const tls = require("node:tls");

const { UPSTREAM, UPSTREAM_CERT, UPSTREAM_KEY } = process.env;
const more = {
  lookup: (name, options, done) =>
    options.all ? done(null, [{ address: UPSTREAM, family: 4 }]) : done(null, UPSTREAM, 4),
};
if (UPSTREAM_CERT) {
  more.cert = fs.readFileSync(UPSTREAM_CERT);
  more.key = fs.readFileSync(UPSTREAM_KEY);
}

const connect = tls.connect;
tls.connect = (options, ...rest) => connect({ ...options, ...more }, ...rest);
