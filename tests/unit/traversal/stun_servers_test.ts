import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import {
  DEFAULT_STUN_SERVERS,
  findStunServers,
  readStunServers,
} from "../../../lib/traversal/stun_servers.ts";

Deno.test("readStunServers takes names and addresses, with and without a port", () => {
  assert.deepEqual(
    readStunServers([
      "stun.example.org",
      "stun.example.org:19302",
      "192.0.2.1",
      "192.0.2.1:1",
      "[2001:db8::1]:65535",
      "[2001:db8::1]",
    ]),
    [
      { host: "stun.example.org", port: 3478 },
      { host: "stun.example.org", port: 19302 },
      { host: "192.0.2.1", port: 3478 },
      { host: "192.0.2.1", port: 1 },
      { host: "2001:db8::1", port: 65535 },
      { host: "2001:db8::1", port: 3478 },
    ],
  );
  assert.deepEqual(readStunServers([]), []);
});

Deno.test("readStunServers refuses what is neither, naming it and what is right", () => {
  for (
    const text of [
      "",
      ":3478",
      "host:",
      "host:port",
      "host:65536",
      "host:-1",
      "[::1",
      "stun:host:3478",
    ]
  ) {
    assert.throws(
      () => readStunServers(["stun.example.org", text]),
      (error: { code?: string; message?: string; hint?: string }) =>
        error.code === "usage" && error.message!.includes(text) &&
        error.hint!.includes("HOST:PORT"),
      text,
    );
  }
});

Deno.test("DEFAULT_STUN_SERVERS are readable and of different operators", () => {
  const servers = readStunServers(DEFAULT_STUN_SERVERS);
  const domains = servers.map(({ host }) => host.split(".").slice(-2).join("."));
  assert.ok(servers.length >= 3);
  assert.equal(new Set(domains).size, servers.length);
});

const SERVER = { host: "stun.example.org", port: 1234 };

/** What is found of one server whose name leads to these texts. */
async function found(texts: readonly string[]): Promise<SocketAddress[][]> {
  const calls: SocketAddress[][] = [];
  await findStunServers([SERVER], () => Promise.resolve(texts), (all) => void calls.push([...all]));
  return calls;
}

Deno.test("findStunServers does not look up an address", async () => {
  const calls: SocketAddress[][] = [];
  await findStunServers(
    [{ host: "192.0.2.1", port: 1 }, { host: "2001:db8::1", port: 2 }],
    () => assert.fail("looked up"),
    (addresses) => void calls.push([...addresses]),
  );
  assert.deepEqual(calls, [
    [{ family: 4, host: "192.0.2.1", port: 1 }],
    [{ family: 6, host: "2001:db8::1", port: 2 }],
  ]);
});

Deno.test("findStunServers takes one address of each family of a name", async () => {
  assert.deepEqual(await found(["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]), [[
    { family: 4, host: "192.0.2.1", port: 1234 },
    { family: 6, host: "2001:db8::1", port: 1234 },
  ]]);
});

Deno.test("findStunServers passes over names without an address", async () => {
  assert.deepEqual(await found([]), []);
  assert.deepEqual(await found(["not an address", "999.1.1.1"]), []);
});

Deno.test("findStunServers survives a resolver that rejects", async () => {
  const calls: unknown[] = [];
  const servers = [SERVER, { host: "192.0.2.1", port: 1 }];
  await findStunServers(
    servers,
    () => Promise.reject(new Error("no such name")),
    (addresses) => calls.push(addresses),
  );
  assert.equal(calls.length, 1);
});

Deno.test("findStunServers tells of each server when it is found, whoever is slow", async () => {
  const slow = Promise.withResolvers<string[]>();
  const hosts: string[] = [];
  const all = findStunServers(
    [SERVER, { host: "fast.example.org", port: 1 }],
    (name) => name === SERVER.host ? slow.promise : Promise.resolve(["192.0.2.2"]),
    ([address]) => void hosts.push(address!.host),
  );
  await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
  assert.deepEqual(hosts, ["192.0.2.2"]);
  slow.resolve(["192.0.2.1"]);
  await all;
  assert.deepEqual(hosts, ["192.0.2.2", "192.0.2.1"]);
});

Deno.test("findStunServers ends every look-up with its signal, and finds nothing after that", async () => {
  const controller = new AbortController();
  const looking = Promise.withResolvers<string[]>();
  const signals: (AbortSignal | undefined)[] = [];
  const all = findStunServers(
    [SERVER],
    (_name, signal) => {
      signals.push(signal);
      return looking.promise;
    },
    () => assert.fail("found"),
    controller.signal,
  );
  assert.deepEqual(signals, [controller.signal]);
  controller.abort();
  looking.resolve(["192.0.2.1"]);
  await all;
});
