// gRPC by grpc-js, in every way that a call can go: the same service, cases and outcomes as grpc_cases.py.
//
// grpc_cases.js serve ADDRESS: the service `cases.Cases` on raw bytes. Writes "serving" when it takes calls.
// grpc_cases.js call ADDRESS: calls it as grpc.test and prints what came of each case as JSON. With GRPC_ROOT in the environment it
// comes over TLS.
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const grpc = require("@grpc/grpc-js");

const [role, address] = process.argv.slice(2);
const BYTES_MAX = 64 * 1024 * 1024;
const SMALL_BYTES_MAX = 1024 * 1024;
const PATIENCE_MS = 60_000;
const DEADLINE_MS = 400;
const TEXT = "as asked: 100 % ü\n漢";
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

const asIs = (message) => message;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The tags of calls whose client has left them.
const left = new Set();

// Metadata of the cases alone: proxies and libraries add their own.
function own(metadata) {
  const names = Object.keys(metadata ? metadata.getMap() : {}).filter((name) => name.startsWith("case-")).sort();
  return names.flatMap((name) => metadata.get(name).map((value) => [name, value.toString("hex")]));
}

// --- server

function again(metadata) {
  const same = new grpc.Metadata();
  for (const name of Object.keys(metadata.getMap()).filter((name) => name.startsWith("case-"))) {
    metadata.get(name).forEach((value) => same.add(name, value));
  }
  return same;
}

function metadata(call, answer) {
  call.sendMetadata(again(call.metadata));
  const agent = call.metadata.get("user-agent").some((value) => value.includes("grpc"));
  answer(null, Buffer.from(JSON.stringify([own(call.metadata), agent])), again(call.metadata));
}

function fail(call, answer) {
  const { code, text } = JSON.parse(call.request);
  const metadata = new grpc.Metadata();
  metadata.set("case-why", "asked");
  metadata.set("case-details-bin", BINARY);
  answer({ code, details: text, metadata });
}

function failLater(call) {
  call.write(Buffer.from("one"));
  call.write(Buffer.from("two"));
  call.emit("error", { code: grpc.status.DATA_LOSS, details: TEXT });
}

async function produce(call) {
  const { count, bytes } = JSON.parse(call.request);
  for (let index = 0; index < count && !call.cancelled; index++) {
    if (!call.write(Buffer.alloc(bytes, index % 256))) await new Promise((resolve) => call.once("drain", resolve));
  }
  call.end();
}

function consume(call, answer) {
  let [messages, bytes] = [0, 0];
  call.on("data", (message) => ([messages, bytes] = [messages + 1, bytes + message.length]));
  call.on("end", () => answer(null, Buffer.from(`${messages} messages of ${bytes} bytes`)));
}

// Answers while its client is still sending.
function consumeFirst(call, answer) {
  call.once("data", (first) => {
    answer({ code: grpc.status.INVALID_ARGUMENT, details: `${first.length} bytes are enough` });
  });
}

function converse(call) {
  let ended = false;
  call.on("data", (message) => {
    if (ended) return;
    call.write(message);
    ended = message.equals(Buffer.from("end"));
    if (ended) call.end();
  });
  call.on("end", () => {
    if (ended) return;
    call.write(Buffer.from("you have ended"));
    call.end();
  });
}

function remaining(call, answer) {
  const seconds = (Number(call.getDeadline()) - Date.now()) / 1000;
  const text = Number.isFinite(seconds) && seconds < 1e6 ? `${30 * Math.round(seconds / 30)}` : "none";
  answer(null, Buffer.from(text));
}

function wait(call) {
  const tag = call.request.toString("hex");
  const metadata = new grpc.Metadata();
  metadata.set("case-begun", "yes");
  call.on("cancelled", () => left.add(tag));
  call.sendMetadata(metadata);
  call.write(Buffer.from("begun"));
}

const HANDLERS = {
  Echo: [(call, answer) => answer(null, call.request), false, false],
  Metadata: [metadata, false, false],
  Fail: [fail, false, false],
  FailLater: [failLater, false, true],
  Produce: [produce, false, true],
  Consume: [consume, true, false],
  ConsumeFirst: [consumeFirst, true, false],
  Converse: [converse, true, true],
  Remaining: [remaining, false, false],
  Wait: [wait, false, true],
  HasLeft: [(call, answer) => answer(null, Buffer.from(left.has(call.request.toString("hex")) ? "yes" : "no")), false, false],
};

function serve() {
  const server = new grpc.Server({ "grpc.max_receive_message_length": BYTES_MAX });
  const methods = {};
  const handlers = {};
  for (const [name, [handler, requestStream, responseStream]] of Object.entries(HANDLERS)) {
    const codec = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
    methods[name] = { path: `/cases.Cases/${name}`, requestStream, responseStream, ...codec };
    handlers[name] = handler;
  }
  server.addService(methods, handlers);
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
    console.log("serving");
  });
}

// --- client

const path = (method) => (method.startsWith("/") ? method : `/cases.Cases/${method}`);
const within = (ms) => (ms === null ? {} : { deadline: Date.now() + ms });

function unaryCall(client, method, request, metadata = new grpc.Metadata(), options = within(PATIENCE_MS)) {
  return new Promise((resolve, reject) => {
    const told = { status: null, initial: null };
    const done = (error, answer) => (error ? reject(error) : setImmediate(() => resolve({ answer, ...told })));
    const call = client.makeUnaryRequest(path(method), asIs, asIs, request, metadata, options, done);
    call.on("metadata", (metadata) => (told.initial = metadata));
    call.on("status", (status) => (told.status = status));
  });
}

const unary = async (...given) => (await unaryCall(...given)).answer;

function clientStream(client, method) {
  let call;
  const answer = new Promise((resolve, reject) => {
    const done = (error, answer) => (error ? reject(error) : resolve(answer));
    call = client.makeClientStreamRequest(path(method), asIs, asIs, new grpc.Metadata(), within(PATIENCE_MS), done);
    // The server may end the call while it is being written to.
    call.on("error", () => {});
  });
  return { call, answer };
}

const serverStream = (client, method, request, ms = PATIENCE_MS) =>
  client.makeServerStreamRequest(path(method), asIs, asIs, request, new grpc.Metadata(), within(ms));

const conversation = (client, ms = PATIENCE_MS) =>
  client.makeBidiStreamRequest(path("Converse"), asIs, asIs, new grpc.Metadata(), within(ms));

// All messages of a stream, and the status that ended it.
function drained(call, onMessage = () => {}) {
  return new Promise((resolve) => {
    const messages = [];
    call.on("data", (message) => {
      messages.push(message);
      onMessage(message, messages.length);
    });
    call.on("error", () => {});
    call.on("status", (status) => setImmediate(() => resolve({ messages, status })));
  });
}

const digest = (message) => [message.length, crypto.createHash("sha256").update(message).digest("hex")];
const texts = (messages) => messages.map((message) => message.toString());
const told = (status) => (status.code === 0 ? "OK" : [status.code, status.details, own(status.metadata)]);
const statusOf = (answer) => answer.then(() => "OK", told);
const codeOf = (answer) => answer.then(() => "OK", (error) => error.code);

// The largest is as much as a receiver takes by default.
async function sizes(client) {
  const large = crypto.createHash("shake128", { outputLength: 4_000_000 }).update("large").digest();
  const messages = [Buffer.alloc(0), Buffer.from("x"), Buffer.alloc(16_384, "y"), Buffer.alloc(65_536, "z"), large];
  const answers = [];
  for (const message of messages) answers.push(digest(await unary(client, "Echo", message)));
  return answers;
}

async function pairs(client) {
  const sent = new grpc.Metadata();
  const values = [
    ["case-text", 'a, b;c="d" %41'], ["case-twice", "one"], ["case-twice", "two"], ["case-long", "v".repeat(6_000)],
    ["case-all-bin", BINARY], ["case-none-bin", Buffer.alloc(0)], ["case-some-bin", Buffer.from([0, 1])],
    ["case-some-bin", Buffer.from([255])],
  ];
  values.forEach(([name, value]) => sent.add(name, value));
  const { answer, initial, status } = await unaryCall(client, "Metadata", Buffer.alloc(0), sent);
  return [JSON.parse(answer), own(initial), own(status.metadata)];
}

async function statuses(client) {
  const outcomes = [];
  for (let code = 1; code <= 16; code++) {
    for (const text of ["", TEXT, "t".repeat(2_000)]) {
      outcomes.push(await statusOf(unary(client, "Fail", Buffer.from(JSON.stringify({ code, text })))));
    }
  }
  return outcomes;
}

async function fails_later(client) {
  const { messages, status } = await drained(serverStream(client, "FailLater", Buffer.alloc(0)));
  return [texts(messages), told(status)];
}

async function unknown(client) {
  const none = Buffer.alloc(0);
  return [await codeOf(unary(client, "Nothing", none)), await codeOf(unary(client, "/cases.Other/Echo", none))];
}

async function server_streams(client) {
  const outcomes = [];
  for (const [count, bytes] of [[0, 1], [1, 0], [1000, 10], [100, 100_000]]) {
    const wanted = Buffer.from(JSON.stringify({ count, bytes }));
    const { messages, status } = await drained(serverStream(client, "Produce", wanted));
    outcomes.push([messages.length, messages.reduce((sum, message) => sum + message.length, 0), status.code]);
  }
  return outcomes;
}

async function client_streams(client) {
  const outcomes = [];
  for (const [count, bytes] of [[0, 0], [1, 0], [1000, 10], [100, 100_000]]) {
    const { call, answer } = clientStream(client, "Consume");
    for (let index = 0; index < count; index++) call.write(Buffer.alloc(bytes, "x"));
    call.end();
    outcomes.push((await answer).toString());
  }
  return outcomes;
}

// The server's status comes although the client has not ended.
async function answered_early(client) {
  const { call, answer } = clientStream(client, "ConsumeFirst");
  call.write(Buffer.alloc(10, "x"));
  return statusOf(answer);
}

// One message at a time, each after the answer to the one before.
async function in_turns(client) {
  const call = conversation(client);
  call.write(Buffer.from("0"));
  const next = (_, count) => (count < 100 ? call.write(Buffer.from(`${count}`)) : count === 100 && call.end());
  return texts((await drained(call, next)).messages);
}

async function client_ends_first(client) {
  const call = conversation(client);
  ["a", "b"].forEach((text) => call.write(Buffer.from(text)));
  call.end();
  return texts((await drained(call)).messages);
}

async function server_ends_first(client) {
  const call = conversation(client);
  ["a", "end"].forEach((text) => call.write(Buffer.from(text)));
  const { messages, status } = await drained(call);
  return [texts(messages), status.code];
}

async function hearsOfIt(client, tag) {
  const hasLeft = async () => (await unary(client, "HasLeft", tag)).toString() === "yes";
  const until = Date.now() + PATIENCE_MS;
  while (!(await hasLeft()) && Date.now() < until) await pause(20);
  return hasLeft();
}

async function deadlines(client) {
  const tag = crypto.randomBytes(16);
  const { messages, status } = await drained(serverStream(client, "Wait", tag, DEADLINE_MS));
  const talk = conversation(client, DEADLINE_MS);
  talk.write(Buffer.from("a"));
  const over = (await drained(talk)).status.code;
  const left = [];
  for (const ms of [30_000, 300_000, null]) {
    left.push((await unary(client, "Remaining", Buffer.alloc(0), new grpc.Metadata(), within(ms))).toString());
  }
  return [texts(messages), status.code, await hearsOfIt(client, tag), over, left];
}

async function cancelled(client) {
  const tag = crypto.randomBytes(16);
  const call = serverStream(client, "Wait", tag);
  const initial = new Promise((resolve) => call.on("metadata", resolve));
  const { messages, status } = await drained(call, () => call.cancel());
  const talk = conversation(client);
  talk.write(Buffer.from("a"));
  const after = await drained(talk, () => talk.cancel());
  const begun = [own(await initial), texts(messages)];
  return [begun, status.code, await hearsOfIt(client, tag), texts(after.messages), after.status.code];
}

async function many_at_once(client) {
  const messages = Array.from({ length: 300 }, (_, index) => Buffer.from(`${index}`.repeat(100)));
  const answers = await Promise.all(messages.map((message) => unary(client, "Echo", message)));
  return answers.filter((answer, index) => answer.equals(messages[index])).length;
}

async function compressed() {
  const client = opened({ "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });
  const answer = await unary(client, "Echo", Buffer.alloc(1_000_000, "a"));
  client.close();
  return digest(answer);
}

async function too_large() {
  const client = opened({ "grpc.max_receive_message_length": SMALL_BYTES_MAX });
  const code = await codeOf(unary(client, "Echo", Buffer.alloc(SMALL_BYTES_MAX + 1, "x")));
  client.close();
  return code;
}

function opened(more = {}) {
  const options = { "grpc.default_authority": "grpc.test", ...more };
  const root = process.env.GRPC_ROOT;
  if (!root) return new grpc.Client(address, grpc.credentials.createInsecure(), options);
  const credentials = grpc.credentials.createSsl(fs.readFileSync(root));
  return new grpc.Client(address, credentials, { "grpc.ssl_target_name_override": "grpc.test", ...options });
}

const CASES = [
  sizes, pairs, statuses, fails_later, unknown, server_streams, client_streams, answered_early, in_turns, client_ends_first,
  server_ends_first, deadlines, cancelled, many_at_once, compressed, too_large,
];

async function call() {
  const client = opened();
  const outcomes = {};
  for (const one of CASES) outcomes[one.name] = await one(client);
  client.close();
  console.log(JSON.stringify(outcomes));
}

if (role === "serve") {
  serve();
} else {
  call().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
